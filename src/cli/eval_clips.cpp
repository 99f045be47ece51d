#include "cli/eval_clips.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <optional>

#include "cli/clip_answers.h"
#include "cli/clip_strip.h"
#include "core/labels.h"
#include "learn/data/clip_frames.h"
#include "learn/data/ordered_workers.h"
#include "media/frame_rules.h"
#include "report/eval_report.h"
#include "report/html.h"

namespace mien::cli {
namespace {

constexpr std::size_t kTableRows = 20;
constexpr int kDecoders = 2;
constexpr int kClipsAhead = 4;

using Frames = std::vector<std::uint8_t>;  // u8 RGB [T, S, S, 3]

// What a clip looks like to the protocol: one entry per temporal segment. The papers' spatial crops
// are left out: frames are made square first, so they are all the same picture (NOTES.md section
// 4).
struct ClipViews {
  std::vector<Frames> segments;
  std::string problem;  // why there are none
};

std::string with_fold(std::string text, int fold) {
  const std::string mark = "{fold}";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
    text.replace(at, mark.size(), std::to_string(fold));
  }
  return text;
}

std::string protocol_of(const ClipEvalArguments& arguments) {
  if (!arguments.protocol.empty()) return arguments.protocol;
  std::string format = arguments.source.format;
  for (const char* prefix : {"mae-dfer-"}) {
    if (format.starts_with(prefix)) format = format.substr(std::string(prefix).size());
  }
  if (format == "dfew-original") format = "dfew";
  return report::find_protocol(format).ok() ? format : "single";
}

Result<ClipViews> read_views(const learn::ClipEntry& clip, const ClipEvalArguments& arguments,
                             int length, int side) {
  ClipViews views;
  const auto count = learn::count_frames(clip);
  if (!count) {
    views.problem = count.error().to_string();
    return views;
  }
  const auto loaded = media::test_loaded_indices(*count, length, arguments.rate);
  for (int segment = 0; segment < arguments.segments; ++segment) {
    const auto indices = media::test_segment_indices(loaded, length, segment, arguments.segments);
    const auto frames = learn::read_frames(clip, indices, {side, side});
    if (!frames) {
      views.problem = frames.error().to_string();
      return views;
    }
    Frames packed;
    for (const media::Image& frame : *frames) {
      packed.insert(packed.end(), frame.rgb.begin(), frame.rgb.end());
    }
    views.segments.push_back(std::move(packed));
  }
  return views;
}

// The model's index of each of the data set's classes.
Result<std::vector<std::size_t>> match_classes(const learn::ClipList& list,
                                               const std::vector<std::string>& model) {
  std::vector<std::size_t> out;
  for (const std::string& name : list.classes) {
    const auto at = std::find_if(model.begin(), model.end(), [&](const std::string& other) {
      return core::label_or_itself(other) == core::label_or_itself(name);
    });
    if (at == model.end()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "the model has no class '" + name + "' of the data set");
    }
    out.push_back(static_cast<std::size_t>(at - model.begin()));
  }
  return out;
}

struct Evaluation {
  report::ScoreTable table;
  std::vector<learn::ClipEntry> clips;  // row by row of the table
  std::string answered_by;
};

// One fold: reads what can be read, tells what cannot, and scores the rest.
Status evaluate_fold(const ClipEvalArguments& arguments, int fold, Evaluation& out) {
  const std::string path = with_fold(arguments.model, fold);
  auto opened = arguments.reference ? reference_answers(path, arguments.threads)
                                    : engine_answers(path, arguments.precision, arguments.threads);
  if (!opened) return opened.error();
  ClipAnswers& model = **opened;
  out.answered_by = model.name();
  learn::ClipSource source = arguments.source;
  source.fold = fold;
  MIEN_ASSIGN(learn::ClipList list, learn::read_clip_list(source));
  learn::ClipCheck check = learn::check_clips(list);
  MIEN_ASSIGN(const std::vector<std::size_t> class_of, match_classes(list, model.classes()));
  out.table.classes = list.classes;

  const auto clips = static_cast<std::int64_t>(list.clips.size());
  learn::OrderedWorkers<ClipViews> reader(
      [&](std::int64_t i) {
        return read_views(list.clips[static_cast<std::size_t>(i)], arguments, model.frames(),
                          model.side());
      },
      0, clips, kDecoders, kClipsAhead);
  report::ViewScores scores(list.classes.size());
  std::vector<learn::ClipEntry> used;
  std::vector<float> logits(model.classes().size());
  std::vector<float> own(list.classes.size());
  for (std::int64_t i = 0; i < clips; ++i) {
    const learn::ClipEntry& clip = list.clips[static_cast<std::size_t>(i)];
    MIEN_ASSIGN(const ClipViews views, reader.next());
    if (!views.problem.empty()) {
      check.missing.push_back({clip.id, clip.path, views.problem});
      continue;
    }
    for (int segment = 0; segment < arguments.segments; ++segment) {
      MIEN_TRY(model.logits(views.segments[static_cast<std::size_t>(segment)], logits));
      for (std::size_t c = 0; c < own.size(); ++c) own[c] = logits[class_of[c]];
      MIEN_TRY(
          scores.add({.id = clip.id, .fold = fold, .truth = clip.label, .segment = segment}, own));
    }
    used.push_back(clip);
  }
  check.usable = used.size();
  if (!check.missing.empty()) {
    if (arguments.strict) {
      return make_error(ErrorCode::kNotFound,
                        std::to_string(check.missing.size()) + " clips cannot be used, e.g. " +
                            check.missing.front().path + ": " + check.missing.front().reason,
                        source.path);
    }
    std::cerr << learn::problem_table(check, kTableRows);
  }
  for (report::ClipScore& score : scores.scores()) out.table.clips.push_back(std::move(score));
  out.clips.insert(out.clips.end(), used.begin(), used.end());
  return {};
}

Status describe(const ClipEvalArguments& arguments, const Evaluation& evaluation,
                report::EvalReport& report) {
  report.title = report.protocol.protocol.title + ": " +
                 std::filesystem::path(arguments.model).filename().string();
  report.dataset = arguments.source.path + " (" + arguments.source.split + ")";
  report.model = arguments.model;
  report.settings = {{"computed by", evaluation.answered_by},
                     {"views per clip", std::to_string(arguments.segments)},
                     {"frame rate divided by", std::to_string(arguments.rate)}};
  report.repeat = arguments.repeat;
  for (const report::FoldResult& fold : report.protocol.results) {
    for (const std::string& pattern : arguments.histories) {
      const std::string path = with_fold(pattern, fold.fold);
      MIEN_ASSIGN(report::TrainingHistory history, report::read_history(path));
      report.histories.push_back({"fold " + std::to_string(fold.fold), std::move(history)});
      if (path == pattern) break;
    }
    if (!arguments.histories.empty() &&
        with_fold(arguments.histories.front(), 0) == arguments.histories.front()) {
      break;  // one file for all folds
    }
  }
  for (report::Mistake& mistake : report.mistakes) {
    for (std::size_t i = 0; i < evaluation.table.clips.size(); ++i) {
      const report::ClipScore& score = evaluation.table.clips[i];
      if (score.id != mistake.id || score.fold != mistake.fold) continue;
      mistake.strip = clip_strip(evaluation.clips[i]);
      break;
    }
  }
  return {};
}

}  // namespace

bool is_clip_format(const std::string& format) {
  constexpr std::array<const char*, 9> kFormats = {
      "dfew",          "dfew-original", "ferv39k", "mafw", "mae-dfer-dfew", "mae-dfer-ferv39k",
      "mae-dfer-mafw", "ravdess",       "crema-d"};
  return std::find(kFormats.begin(), kFormats.end(), format) != kFormats.end() || format == "clips";
}

Result<std::string> evaluate_clips(const ClipEvalArguments& given) {
  ClipEvalArguments arguments = given;
  if (arguments.source.format == "clips") arguments.source.format = "manifest";
  MIEN_ASSIGN(const report::Protocol protocol, report::find_protocol(protocol_of(arguments)));
  Evaluation evaluation;
  if (arguments.all_folds) {
    for (int fold = 1; fold <= protocol.folds; ++fold) {
      MIEN_TRY(evaluate_fold(arguments, fold, evaluation));
    }
  } else {
    MIEN_TRY(evaluate_fold(arguments, arguments.source.fold, evaluation));
  }
  MIEN_ASSIGN(report::EvalReport report,
              report::make_report(evaluation.table, protocol,
                                  {.allow_partial = !arguments.all_folds && protocol.folds > 1}));
  MIEN_TRY(describe(arguments, evaluation, report));
  if (!arguments.out.empty()) MIEN_TRY(report::write_report(arguments.out, report));
  if (arguments.json) return report::report_json(report);
  std::string text = report::metrics_table(report.protocol.confusion, evaluation.table.classes);
  text += protocol.title + ", " + report.protocol.basis() + "\n";
  if (!arguments.out.empty()) text += "report: " + arguments.out + "/report.html\n";
  return text;
}

}  // namespace mien::cli
