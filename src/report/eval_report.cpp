#include "report/eval_report.h"

#include <algorithm>
#include <tuple>

#include "report/csv_writer.h"
#include "report/json_writer.h"

namespace mien::report {
namespace {

constexpr int kRateDigits = 6;

void write_rates(JsonWriter& json, const Rates& rates) {
  json.key("war").number(rates.war, kRateDigits);
  json.key("uar").number(rates.uar, kRateDigits);
  json.key("macro_f1").number(rates.macro_f1, kRateDigits);
}

void write_rates_object(JsonWriter& json, std::string_view name, const Rates& rates) {
  json.key(name).begin_object(JsonWriter::Layout::kInline);
  write_rates(json, rates);
  json.end_object();
}

void write_interval(JsonWriter& json, std::string_view name, const Interval& interval) {
  json.key(name).begin_array(JsonWriter::Layout::kInline);
  json.number(interval.low, kRateDigits).number(interval.high, kRateDigits).end_array();
}

void write_protocol(JsonWriter& json, const ProtocolReport& protocol) {
  json.key("protocol").begin_object();
  json.key("name").string(protocol.protocol.name);
  json.key("title").string(protocol.protocol.title);
  json.key("folds").integer(protocol.protocol.folds);
  json.key("basis").string(protocol.basis());
  json.key("partial").boolean(protocol.partial());
  json.key("missing").begin_array(JsonWriter::Layout::kInline);
  for (const int fold : protocol.missing) json.integer(fold);
  json.end_array();
  json.key("notes").strings(protocol.notes);
  json.end_object();
  json.key("folds").begin_array();
  for (const FoldRates& fold : protocol.folds) {
    json.begin_object(JsonWriter::Layout::kInline);
    json.key("fold").integer(fold.fold);
    json.key("n").integer(fold.clips);
    write_rates(json, fold.rates);
    json.end_object();
  }
  json.end_array();
  write_rates_object(json, "std", protocol.deviation);
  write_rates_object(json, "pooled", protocol.pooled);
}

void write_intervals(JsonWriter& json, const EvalReport& report) {
  json.key("ci").begin_object();
  json.key("level").number(report.bootstrap.level, 4);
  json.key("method").string("percentile bootstrap over " + report.item + "s, within folds");
  json.key("replicates").integer(report.bootstrap.replicates);
  json.key("seed").string(std::to_string(report.bootstrap.seed));
  write_interval(json, "war", report.intervals.war);
  write_interval(json, "uar", report.intervals.uar);
  write_interval(json, "macro_f1", report.intervals.macro_f1);
  write_interval(json, "pooled_war_wilson_95", report.war_wilson);
  json.end_object();
}

void write_classes(JsonWriter& json, const EvalReport& report) {
  const ConfusionMatrix& matrix = report.protocol.confusion;
  const auto rows = matrix.per_class();
  json.key("classes").strings(report.scores.classes);
  json.key("per_class").begin_array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json.begin_object(JsonWriter::Layout::kInline);
    json.key("class").string(class_name(report.scores.classes, i));
    json.key("support").integer(rows[i].support);
    json.key("predicted").integer(rows[i].predicted);
    json.key("recall").number(rows[i].recall, kRateDigits);
    json.key("precision").number(rows[i].precision, kRateDigits);
    json.key("f1").number(rows[i].f1, kRateDigits);
    json.end_object();
  }
  json.end_array();
  json.key("confusion").begin_array();
  for (std::size_t t = 0; t < matrix.classes(); ++t) {
    json.begin_array(JsonWriter::Layout::kInline);
    for (std::size_t p = 0; p < matrix.classes(); ++p) json.integer(matrix.count(t, p));
    json.end_array();
  }
  json.end_array();
}

void write_calibration(JsonWriter& json, const Calibration& calibration) {
  json.key("ece").number(calibration.ece, kRateDigits);
  json.key("reliability").begin_array();
  for (const ReliabilityBin& bin : calibration.bins) {
    json.begin_object(JsonWriter::Layout::kInline);
    json.key("low").number(bin.low, kRateDigits);
    json.key("high").number(bin.high, kRateDigits);
    json.key("n").integer(bin.clips);
    json.key("confidence").number(bin.confidence, kRateDigits);
    json.key("accuracy").number(bin.accuracy, kRateDigits);
    json.end_object();
  }
  json.end_array();
}

void write_mask(JsonWriter& json, const MaskQuality& mask) {
  json.key("mask").begin_object(JsonWriter::Layout::kInline);
  json.key("clips").integer(mask.clips);
  json.key("rank_correlation").number(mask.rank_correlation, kRateDigits);
  json.key("rank_correlation_place").number(mask.rank_correlation_place, kRateDigits);
  json.key("apex_kept").number(mask.apex_kept, kRateDigits);
  json.key("apex_kept_random").number(mask.apex_kept_random, kRateDigits);
  json.end_object();
}

void write_mistakes(JsonWriter& json, const EvalReport& report) {
  json.key("mistakes").begin_array();
  for (const Mistake& mistake : report.mistakes) {
    json.begin_object(JsonWriter::Layout::kInline);
    json.key("id").string(mistake.id);
    json.key("fold").integer(mistake.fold);
    json.key("truth").string(class_name(report.scores.classes, mistake.truth));
    json.key("predicted").string(class_name(report.scores.classes, mistake.predicted));
    json.key("confidence").number(mistake.confidence, kRateDigits);
    json.key("truth_probability").number(mistake.truth_probability, kRateDigits);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::vector<Mistake> most_confident_mistakes(const ScoreTable& table, std::size_t most) {
  std::vector<Mistake> mistakes;
  for (const ClipScore& clip : table.clips) {
    const std::size_t best = argmax(clip.probabilities);
    const auto truth = static_cast<std::size_t>(clip.truth);
    if (best == truth || truth >= clip.probabilities.size()) continue;
    mistakes.push_back({.id = clip.id,
                        .fold = clip.fold,
                        .truth = truth,
                        .predicted = best,
                        .confidence = static_cast<double>(clip.probabilities[best]),
                        .truth_probability = static_cast<double>(clip.probabilities[truth])});
  }
  std::sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
    // The second and third field make the order the same whatever order the clips came in.
    return std::tie(b.confidence, a.fold, a.id) < std::tie(a.confidence, b.fold, b.id);
  });
  if (mistakes.size() > most) mistakes.resize(most);
  return mistakes;
}

Result<EvalReport> make_report(ScoreTable scores, const Protocol& protocol,
                               const ReportOptions& options) {
  MIEN_TRY(check_scores(scores));
  MIEN_ASSIGN(const std::vector<FoldResult> folds, folds_of(scores));
  MIEN_ASSIGN(ProtocolReport aggregated,
              aggregate(protocol, folds, {.allow_partial = options.allow_partial}));
  EvalReport report;
  report.protocol = std::move(aggregated);
  std::vector<ConfusionMatrix> matrices;
  for (const FoldResult& fold : report.protocol.results) matrices.push_back(fold.confusion);
  report.bootstrap = options.bootstrap;
  report.intervals = bootstrap_intervals(matrices, options.bootstrap);
  const ConfusionMatrix& all = report.protocol.confusion;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < all.classes(); ++i) right += all.count(i, i);
  report.war_wilson = wilson_interval(right, all.total());
  report.calibration = calibration_of(scores.clips, options.bins);
  report.mistakes = most_confident_mistakes(scores, options.mistakes);
  report.scores = std::move(scores);
  return report;
}

std::string report_json(const EvalReport& report) {
  JsonWriter json;
  json.begin_object();
  json.key("title").string(report.title);
  json.key("data").string(report.dataset);
  json.key("model").string(report.model);
  json.key("n").integer(report.protocol.confusion.total());
  write_rates(json, report.protocol.mean);
  write_protocol(json, report.protocol);
  write_intervals(json, report);
  write_classes(json, report);
  write_calibration(json, report.calibration);
  if (report.mask) write_mask(json, *report.mask);
  write_mistakes(json, report);
  json.key("settings").begin_object();
  for (const auto& [name, value] : report.settings) json.key(name).string(value);
  json.end_object();
  json.key("repeat").string(report.repeat);
  json.end_object();
  return json.take();
}

std::string report_csv(const EvalReport& report) {
  const auto rows = report.protocol.confusion.per_class();
  std::string out = csv_header({"class", "support", "predicted", "recall", "precision", "f1"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CsvRow row;
    row.text(class_name(report.scores.classes, i)).integer(rows[i].support);
    row.integer(rows[i].predicted).number(rows[i].recall, kRateDigits);
    row.number(rows[i].precision, kRateDigits).number(rows[i].f1, kRateDigits);
    out += row.line();
  }
  return out;
}

}  // namespace mien::report
