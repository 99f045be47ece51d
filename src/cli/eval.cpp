// mien eval: how right a model is on labelled stills, measured in the engine that users run.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "cli/eval_clips.h"
#include "cli/eval_sheet.h"
#include "cli/train_command.h"
#include "core/files.h"
#include "core/model_file.h"
#include "learn/data/eval_set.h"
#include "learn/data/face_geometry.h"
#include "mien/analyzer.hpp"
#include "mien/recognizer.hpp"
#include "report/json_writer.h"
#include "report/metrics.h"

namespace mien::cli {
namespace {

struct EvalArguments {
  std::string model;
  learn::StillSource source;
  std::string precision = "auto";
  std::string out;
  std::string sheet;
  std::string sheet_order = "worst";
  int threads = 0;
  bool keep_duplicates = false;
  bool json = false;
  ClipEvalArguments clips;  // what only clips have
  std::string fold = "1";
};

int fail(const Error& error) {
  std::cerr << "mien-train: " << error.to_string() << "\n";
  return 1;
}

Precision precision_of(const std::string& name) {
  if (name == "f32") return Precision::kF32;
  return name == "bf16" ? Precision::kBf16 : Precision::kAuto;
}

const char* name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "f32";
}

SheetOrder order_of(const std::string& name) {
  return name == "even" ? SheetOrder::kEven : SheetOrder::kWorst;
}

// ---- expressions

// Wrong answers are worse the surer they are; among the right ones the unsure are worse.
SheetTile expression_tile(std::size_t still, const learn::CropFrame& frame,
                          std::span<const float> logits, std::size_t truth, std::size_t predicted,
                          const std::vector<std::string>& classes) {
  float sum = 0.0F;
  for (const float logit : logits) sum += std::exp(logit - logits[predicted]);
  const float confidence = 1.0F / sum;
  char said[64];
  std::snprintf(said, sizeof(said), "said %s %.2f", classes[predicted].c_str(),
                static_cast<double>(confidence));
  const double badness =
      truth == predicted ? -static_cast<double>(confidence) : static_cast<double>(confidence);
  return {still, frame, badness, {"is " + classes[truth], said}, {}};
}

struct ExpressionScores {
  std::vector<std::string> classes;
  std::string precision;
  report::ConfusionMatrix clean;     // without near-duplicates of training pictures
  report::ConfusionMatrix with_all;  // with them
};

Result<ExpressionScores> score_expressions(const EvalArguments& arguments,
                                           const std::string& path) {
  MIEN_ASSIGN(const Recognizer model,
              Recognizer::load(path, {precision_of(arguments.precision), arguments.threads}));
  MIEN_ASSIGN(Recognizer::Session session, model.session());
  MIEN_ASSIGN(const learn::StillSet set, learn::read_stills(arguments.source, model.classes()));
  std::set<std::string> duplicates;
  if (const std::string list = learn::duplicates_list_of(arguments.source); !list.empty()) {
    MIEN_ASSIGN(duplicates, learn::read_name_list(list));
  }
  const std::size_t classes = model.classes().size();
  ExpressionScores scores{model.classes(), name_of(model.precision()),
                          report::ConfusionMatrix(classes), report::ConfusionMatrix(classes)};
  std::vector<float> logits(classes);
  // A video model sees a still as a clip in which nothing moves.
  const int frames = model.is_temporal() ? model.num_frames() : 1;
  std::vector<SheetTile> tiles;
  for (std::size_t index = 0; index < set.stills.size(); ++index) {
    const learn::Still& still = set.stills[index];
    if (still.majority < 0) continue;
    const bool templated =
        !still.framed && !still.points.empty() && model.face_template().size() == 10;
    const learn::CropFrame frame =
        templated ? learn::frame_on_template(still.points, model.face_template())
                  : learn::frame_on_picture(still);
    const auto crop = learn::crop_rgb(set, still, frame, model.input_size());
    std::vector<std::uint8_t> clip;
    for (int i = 0; i < frames; ++i) clip.insert(clip.end(), crop.begin(), crop.end());
    MIEN_TRY(session.logits(clip, 1, frames, logits));
    const auto truth = static_cast<std::size_t>(still.majority);
    const std::size_t predicted = report::argmax(logits);
    MIEN_TRY(scores.with_all.add(truth, predicted));
    if (!duplicates.contains(still.name)) MIEN_TRY(scores.clean.add(truth, predicted));
    if (!arguments.sheet.empty()) {
      tiles.push_back(expression_tile(index, frame, logits, truth, predicted, model.classes()));
    }
  }
  if (!arguments.sheet.empty()) {
    MIEN_TRY(write_sheet(arguments.sheet, set, std::move(tiles), order_of(arguments.sheet_order)));
  }
  return scores;
}

void write_summary(report::JsonWriter& json, const report::ConfusionMatrix& m) {
  json.key("n").integer(m.total());
  json.key("war").number(m.war(), 6);
  json.key("uar").number(m.uar(), 6);
  json.key("macro_f1").number(m.macro_f1(), 6);
}

std::string expressions_json(const EvalArguments& arguments, const std::string& path,
                             const ExpressionScores& scores) {
  const report::ConfusionMatrix& m = arguments.keep_duplicates ? scores.with_all : scores.clean;
  report::JsonWriter json;
  json.begin_object();
  json.key("model").string(path);
  json.key("data").string(arguments.source.path);
  json.key("split").string(arguments.source.split);
  json.key("precision").string(scores.precision);
  write_summary(json, m);
  json.key("classes").strings(scores.classes);
  json.key("per_class").begin_array();
  const auto per_class = m.per_class();
  for (std::size_t i = 0; i < per_class.size(); ++i) {
    json.begin_object(report::JsonWriter::Layout::kInline);
    json.key("class").string(scores.classes[i]);
    json.key("support").integer(per_class[i].support);
    json.key("recall").number(per_class[i].recall, 6);
    json.key("precision").number(per_class[i].precision, 6);
    json.key("f1").number(per_class[i].f1, 6);
    json.end_object();
  }
  json.end_array();
  json.key("confusion").begin_array();
  for (std::size_t t = 0; t < m.classes(); ++t) {
    json.begin_array(report::JsonWriter::Layout::kInline);
    for (std::size_t p = 0; p < m.classes(); ++p) json.integer(m.count(t, p));
    json.end_array();
  }
  json.end_array();
  json.key("with_duplicates").begin_object(report::JsonWriter::Layout::kInline);
  write_summary(json, scores.with_all);
  json.end_object();
  json.end_object();
  return json.take() + "\n";
}

std::string expressions_text(const EvalArguments& arguments, const ExpressionScores& scores) {
  const report::ConfusionMatrix& m = arguments.keep_duplicates ? scores.with_all : scores.clean;
  char line[160];
  std::snprintf(line, sizeof(line),
                "with near-duplicates of training pictures: n %ld, WAR %.2f %%, UAR %.2f %%\n",
                static_cast<long>(scores.with_all.total()), 100.0 * scores.with_all.war(),
                100.0 * scores.with_all.uar());
  return report::metrics_table(m, scores.classes) + line;
}

// ---- landmarks

struct LandmarkScores {
  std::size_t count = 0;
  double error = 0.0;            // mean distance / distance of the outer eye corners
  double error_by_pupils = 0.0;  // the same / distance of the eye centres
};

Result<LandmarkScores> score_landmarks(const EvalArguments& arguments, const std::string& path) {
  constexpr float kTrustedSpread = 0.04F;
  MIEN_ASSIGN(const LandmarkLocator model,
              LandmarkLocator::load(path, {precision_of(arguments.precision), arguments.threads}));
  MIEN_ASSIGN(LandmarkLocator::Session session, model.session());
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const learn::StillSet set, learn::read_stills(arguments.source, labels.classes));
  LandmarkScores scores;
  std::vector<float> points(136);
  std::vector<SheetTile> tiles;
  for (std::size_t index = 0; index < set.stills.size(); ++index) {
    const learn::Still& still = set.stills[index];
    if (still.points.empty() || still.spread > kTrustedSpread) continue;
    const learn::CropFrame frame = learn::frame_on_points(still.points);
    MIEN_TRY(session.locate(learn::crop_rgb(set, still, frame, model.input_size()), 1, points));
    double sum = 0.0;
    for (std::size_t i = 0; i < 68; ++i) {
      const auto truth = frame.to_crop(static_cast<double>(still.points[2 * i]),
                                       static_cast<double>(still.points[2 * i + 1]));
      sum += std::hypot(static_cast<double>(points[2 * i]) - truth[0],
                        static_cast<double>(points[2 * i + 1]) - truth[1]);
    }
    const double mean = sum / 68.0 * frame.side;
    const auto& p = still.points;
    const auto five = learn::five_points(p);
    const double error = mean / static_cast<double>(std::hypot(p[72] - p[90], p[73] - p[91]));
    scores.error += error;
    scores.error_by_pupils += mean / std::hypot(five[0] - five[2], five[1] - five[3]);
    ++scores.count;
    if (!arguments.sheet.empty()) {
      char caption[32];
      std::snprintf(caption, sizeof(caption), "%.1f %%", 100.0 * error);
      tiles.push_back({index, frame, error, {caption}, points});
    }
  }
  if (!arguments.sheet.empty()) {
    MIEN_TRY(write_sheet(arguments.sheet, set, std::move(tiles), order_of(arguments.sheet_order)));
  }
  if (scores.count == 0) {
    return make_error(ErrorCode::kNotFound, "has no picture with points", arguments.source.path);
  }
  scores.error /= static_cast<double>(scores.count);
  scores.error_by_pupils /= static_cast<double>(scores.count);
  return scores;
}

std::string landmarks_text(const LandmarkScores& scores, bool as_json) {
  if (as_json) {
    report::JsonWriter json;
    json.begin_object();
    json.key("n").integer(static_cast<std::int64_t>(scores.count));
    json.key("interocular_error").number(scores.error, 6);
    json.key("interpupil_error").number(scores.error_by_pupils, 6);
    json.end_object();
    return json.take() + "\n";
  }
  char line[200];
  std::snprintf(
      line, sizeof(line),
      "n %zu, mean error %.2f %% of the inter-ocular distance (outer eye corners), %.2f %% of the "
      "distance of the eye centres\n",
      scores.count, 100.0 * scores.error, 100.0 * scores.error_by_pupils);
  return line;
}

Result<std::string> evaluate(const EvalArguments& arguments, const std::string& path) {
  // Only the config is wanted here: which of the two kinds of model this is.
  MIEN_ASSIGN(const core::ModelFile file, core::open_model(path));
  if (file.config.arch == core::Arch::kMobileFaceNet) {
    MIEN_ASSIGN(const LandmarkScores scores, score_landmarks(arguments, path));
    return landmarks_text(scores, arguments.json);
  }
  MIEN_ASSIGN(const ExpressionScores scores, score_expressions(arguments, path));
  const std::string json = expressions_json(arguments, path, scores);
  if (!arguments.out.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(arguments.out, ignored);
    MIEN_TRY(core::write_file_atomically(arguments.out + "/eval.json", json));
  }
  return arguments.json ? json : expressions_text(arguments, scores);
}

// The options that stills and clips share, as the clips' evaluation takes them.
Result<std::string> evaluate_on_clips(const EvalArguments& arguments) {
  ClipEvalArguments clips = arguments.clips;
  clips.model = arguments.model;
  clips.source.path = arguments.source.path;
  clips.source.format = arguments.source.format;
  clips.source.split = arguments.source.split;
  clips.all_folds = arguments.fold == "all";
  if (!clips.all_folds) clips.source.fold = std::stoi(arguments.fold);
  clips.precision = precision_of(arguments.precision);
  clips.threads = arguments.threads;
  clips.json = arguments.json;
  clips.out = arguments.out;
  clips.repeat = "mien eval --model " + clips.model + " --data " + clips.source.path +
                 " --format " + clips.source.format + " --split " + clips.source.split +
                 " --fold " + arguments.fold + (clips.reference ? " --reference" : "") +
                 " --rate " + std::to_string(clips.rate) + " --segments " +
                 std::to_string(clips.segments);
  return evaluate_clips(clips);
}

int run_eval(EvalArguments& arguments) {
  if (arguments.model.empty()) {
    auto bundled = find_bundled_model("s2d");
    if (!bundled) return fail(bundled.error());
    arguments.model = *bundled;
  }
  const auto text = is_clip_format(arguments.source.format) ? evaluate_on_clips(arguments)
                                                            : evaluate(arguments, arguments.model);
  if (!text) return fail(text.error());
  std::cout << *text;
  return 0;
}

}  // namespace

void add_eval(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<EvalArguments>();
  arguments->source.split = "valid";
  CLI::App* command = root.add_subcommand("eval", "measure a model on labelled stills or clips");
  command->add_option("--model", arguments->model,
                      "model file (default: the bundled expression model)");
  command->add_option("--data", arguments->source.path, "dataset folder")->required();
  command
      ->add_option("--format", arguments->source.format,
                   "stills: ferplus, faces, rafdb, affectnet, manifest, pack, auto; clips: dfew, "
                   "dfew-original, ferv39k, mafw, mae-dfer-dfew, mae-dfer-ferv39k, mae-dfer-mafw, "
                   "ravdess, crema-d, clips (manifest.csv of clips)")
      ->capture_default_str();
  command->add_option("--split", arguments->source.split, "train, valid or test")
      ->capture_default_str();
  command
      ->add_option("--tenth", arguments->source.tenth,
                   "all; held: only the persons that training left out; keep: the others")
      ->check(CLI::IsMember({"all", "keep", "held"}))
      ->capture_default_str();
  command->add_option("--precision", arguments->precision, "auto, f32 or bf16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "0: all cores")->capture_default_str();
  command->add_option(
      "--out", arguments->out,
      "folder for eval.json (stills) or report.html, .json, .csv, scores.csv (clips)");
  command->add_option("--sheet", arguments->sheet,
                      "PNG of 40 of the pictures with what the model answered");
  command
      ->add_option("--sheet-order", arguments->sheet_order,
                   "worst: the worst answers; even: spread over the data")
      ->check(CLI::IsMember({"worst", "even"}))
      ->capture_default_str();
  command->add_flag("--keep-duplicates", arguments->keep_duplicates,
                    "count pictures listed in <split>_duplicates.csv too");
  command->add_option("--fold", arguments->fold, "clips: 1, 2, ... or all ({fold} in --model)")
      ->check(CLI::IsMember({"all", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}))
      ->capture_default_str();
  command->add_option("--protocol", arguments->clips.protocol,
                      "clips: dfew, ferv39k, mafw, ravdess, crema-d, single (default: by format)");
  command->add_option("--rate", arguments->clips.rate, "clips: every rate-th frame")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--segments", arguments->clips.segments, "clips: temporal views of each")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--history", arguments->clips.histories,
                      "clips: history.csv of the training, drawn in the report ({fold} as above)");
  command->add_option("--annotation", arguments->clips.source.annotation,
                      "clips: list file to read instead of the official one");
  command->add_flag("--reference", arguments->clips.reference,
                    "clips: compute in LibTorch instead of the engine");
  command->add_flag("--strict", arguments->clips.strict, "clips: an unusable clip is an error");
  command->add_flag("--json", arguments->json, "one JSON document on stdout");
  command->callback([arguments, &exit_code] { exit_code = run_eval(*arguments); });
}

}  // namespace mien::cli
