#include "report/html.h"

#include <cmath>
#include <filesystem>

#include "core/files.h"
#include "report/bars_svg.h"
#include "report/confusion_svg.h"
#include "report/curves_svg.h"
#include "report/html_parts.h"
#include "report/reliability_svg.h"
#include "report/text.h"

namespace mien::report {
namespace {

std::string in_percent(double rate) {
  return fixed(100.0 * rate, 2);
}

std::string range_text(const Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "not computed";
  return in_percent(interval.low) + " to " + in_percent(interval.high);
}

// The word for the rows of the scores: "clips", or "Clips" at the beginning of a heading.
std::string items_of(const EvalReport& report) {
  return report.item + "s";
}

std::string capital(std::string word) {
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') {
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  }
  return word;
}

std::string term(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return "<dt>" + escape_xml(name) + "</dt><dd>" + escape_xml(value) + "</dd>\n";
}

std::string header_html(const EvalReport& report) {
  const ProtocolReport& protocol = report.protocol;
  std::string out = "<header>\n<h1>" + escape_xml(report.title) + "</h1>\n<dl>\n";
  out += term("Data", report.dataset) + term("Model", report.model);
  out += term("Protocol", protocol.protocol.title + ": " + protocol.basis());
  out += term(capital(items_of(report)), std::to_string(protocol.confusion.total()));
  out += "</dl>\n";
  for (const std::string& note : protocol.notes) {
    out += "<p class=\"note\">" + escape_xml(note) + "</p>\n";
  }
  return out + "</header>\n<main>\n";
}

std::string headline_html(const EvalReport& report) {
  const ProtocolReport& p = report.protocol;
  const bool several = p.folds.size() > 1;
  std::vector<std::string> columns = {"Figure", "Percent",
                                      compact(100.0 * report.bootstrap.level, 1) + " % interval"};
  if (several) {
    columns.emplace_back("Std. dev. over folds");
    columns.push_back("All " + items_of(report) + " pooled");
  }
  HtmlTable table("Percent: " + p.basis() + ".", columns);
  const auto add = [&](const char* name, double Rates::*figure, const Interval& interval) {
    std::vector<std::string> cells = {name, in_percent(p.mean.*figure), range_text(interval)};
    if (several) {
      cells.push_back(in_percent(p.deviation.*figure));
      cells.push_back(in_percent(p.pooled.*figure));
    }
    table.row(cells);
  };
  add("WAR (accuracy)", &Rates::war, report.intervals.war);
  add("UAR (mean recall)", &Rates::uar, report.intervals.uar);
  add("Macro F1", &Rates::macro_f1, report.intervals.macro_f1);
  const std::string how = "<p>Intervals: percentile bootstrap over the " +
                          escape_xml(items_of(report)) + " (" +
                          std::to_string(report.bootstrap.replicates) +
                          " draws). They cover the choice of test " + escape_xml(items_of(report)) +
                          ", not another training run. Wilson's 95 % "
                          "interval of the pooled WAR: " +
                          range_text(report.war_wilson) + ".</p>\n";
  return html_section("headline", "Result", table.html() + how);
}

std::string folds_html(const EvalReport& report) {
  const ProtocolReport& protocol = report.protocol;
  if (protocol.folds.size() < 2) return "";
  HtmlTable table("In percent.", {"Fold", capital(items_of(report)), "WAR", "UAR", "Macro F1"});
  const auto add = [&](const std::string& name, const std::string& count, const Rates& rates) {
    table.row(
        {name, count, in_percent(rates.war), in_percent(rates.uar), in_percent(rates.macro_f1)});
  };
  for (const FoldRates& fold : protocol.folds) {
    add(std::to_string(fold.fold), std::to_string(fold.clips), fold.rates);
  }
  add("Mean", "", protocol.mean);
  add("Standard deviation", "", protocol.deviation);
  add("All " + items_of(report) + " pooled", std::to_string(protocol.confusion.total()),
      protocol.pooled);
  return html_section("folds", "Folds", table.html());
}

std::string classes_html(const EvalReport& report) {
  const auto rows = report.protocol.confusion.per_class();
  const std::string items = items_of(report);
  HtmlTable table("In percent, over all " + items + ".",
                  {"Class", capital(items), "Answers", "Recall", "Precision", "F1"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.row({class_name(report.scores.classes, i), std::to_string(rows[i].support),
               std::to_string(rows[i].predicted), in_percent(rows[i].recall),
               in_percent(rows[i].precision), in_percent(rows[i].f1)});
  }
  const std::string bars = bars_svg(rows, report.scores.classes, {.id = "bars", .items = items});
  const std::string matrix = confusion_svg(report.protocol.confusion, report.scores.classes,
                                           {.id = "confusion", .items = items});
  return html_section("confusions", "Confusion matrix",
                      html_figure(matrix,
                                  "Rows: the true class. Columns: the model's answer. "
                                  "Counts, and percent of the row.")) +
         html_section("classes", "Classes",
                      html_figure(bars, "Recall, precision and F1 by class.") + table.html());
}

std::string calibration_html(const EvalReport& report) {
  const Calibration& calibration = report.calibration;
  if (calibration.clips == 0) return "";
  const std::string drawing =
      reliability_svg(calibration, {.id = "reliability", .items = items_of(report)});
  return html_section(
      "calibration", "Confidence",
      html_figure(drawing,
                  "Expected calibration error (ECE) " + in_percent(calibration.ece) +
                      " %: how far, on average, the confidence of an answer is from the share of "
                      "right answers of that confidence. Mean confidence " +
                      in_percent(calibration.confidence) + " %, right " +
                      in_percent(calibration.accuracy) + " %."));
}

std::string mask_html(const EvalReport& report) {
  if (!report.mask) return "";
  const MaskQuality& mask = *report.mask;
  HtmlTable table("Over the " + std::to_string(mask.clips) + " " + items_of(report) +
                      " that have a moment, " + std::to_string(mask.apex_frames) +
                      " frames at its apex.",
                  {"Figure", "Value"});
  table.row({"Rank correlation with the true intensity", fixed(mask.rank_correlation, 3)});
  table.row({"The same by the place in the clip alone", fixed(mask.rank_correlation_place, 3)});
  table.row({"Apex frames kept, percent", in_percent(mask.apex_kept)});
  table.row({"The same when tokens are dropped at random", in_percent(mask.apex_kept_random)});
  return html_section(
      "mask", "Soft mask",
      table.html() +
          "<p>Rank correlation: Spearman's, over the slots of each clip, of the mask's mean and "
          "the true intensity. By the place alone: of one mask for all, the mean over the clips. "
          "A frame is at the apex from 90 % of the clip's largest intensity "
          "on, and counts as kept when of the slot that it is in at least an even share of the "
          "kept tokens is kept.</p>\n");
}

std::string histories_html(const std::vector<NamedHistory>& histories) {
  std::string body;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    const std::string& name = histories[i].name;
    const auto panels = history_panels(histories[i].history);
    for (std::size_t k = 0; k < panels.size(); ++k) {
      const std::string title = (name.empty() ? "" : name + ": ") + panels[k].title;
      const std::string drawing = curves_svg(
          panels[k].curves, {.id = "curves-" + std::to_string(i) + "-" + std::to_string(k),
                             .title = title,
                             .y_title = panels[k].y_title,
                             .from_zero = panels[k].from_zero});
      body += html_figure(drawing, title);
    }
  }
  return body.empty() ? "" : html_section("training", "Training", body);
}

Result<std::string> mistake_html(const Mistake& mistake, const EvalReport& report) {
  const std::string said = "is " + class_name(report.scores.classes, mistake.truth) + ", said " +
                           class_name(report.scores.classes, mistake.predicted);
  std::string picture = "<p>(no picture)</p>\n";
  if (!mistake.strip.empty()) {
    auto uri = picture_uri(mistake.strip);
    if (!uri) return uri.error().within(mistake.id);
    picture = "<img src=\"" + *uri + "\" alt=\"" +
              escape_xml(capital(report.item) + " " + mistake.id + ": " + said) + "\"/>\n";
  }
  const std::string fold =
      report.protocol.protocol.folds > 1 ? ", fold " + std::to_string(mistake.fold) : "";
  return "<li>" +
         html_figure(picture, mistake.id + fold + ": " + said + " (" +
                                  in_percent(mistake.confidence) + " %; the true class got " +
                                  in_percent(mistake.truth_probability) + " %)") +
         "</li>\n";
}

Result<std::string> mistakes_html(const EvalReport& report) {
  if (report.mistakes.empty()) return std::string();
  std::string list = "<ol class=\"mistakes\">\n";
  for (const Mistake& mistake : report.mistakes) {
    MIEN_ASSIGN(const std::string item, mistake_html(mistake, report));
    list += item;
  }
  return html_section("mistakes-made",
                      "The " + std::to_string(report.mistakes.size()) + " surest mistakes",
                      list + "</ol>\n");
}

std::string settings_html(const EvalReport& report) {
  std::string out;
  if (!report.settings.empty()) {
    HtmlTable table("What the evaluation ran with.", {"Setting", "Value"});
    for (const auto& [name, value] : report.settings) table.row({name, value});
    out += html_section("settings", "Settings", table.html());
  }
  if (!report.repeat.empty()) {
    out += html_section("repeat", "How to repeat",
                        "<pre><code>" + escape_lines(report.repeat) + "</code></pre>\n");
  }
  return out;
}

}  // namespace

Result<std::string> report_html(const EvalReport& report) {
  std::string body = header_html(report) + headline_html(report) + folds_html(report);
  body += classes_html(report) + calibration_html(report);
  body += mask_html(report) + histories_html(report.histories);
  MIEN_ASSIGN(const std::string mistakes, mistakes_html(report));
  body += mistakes + settings_html(report) + "</main>\n";
  return html_page(report.title, body);
}

Status write_report(const std::string& folder, const EvalReport& report) {
  MIEN_ASSIGN(const std::string html, report_html(report));
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return make_error(ErrorCode::kIo, "cannot be made: " + failed.message(), folder);
  MIEN_TRY(write_scores(folder + "/scores.csv", report.scores));
  MIEN_TRY(core::write_file_atomically(folder + "/report.csv", report_csv(report)));
  MIEN_TRY(core::write_file_atomically(folder + "/report.json", report_json(report)));
  return core::write_file_atomically(folder + "/report.html", html);
}

}  // namespace mien::report
