#include "cli/eval_clips.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "cli/clip_answers.h"
#include "cli/clip_strip.h"
#include "cli/clip_views.h"
#include "cli/eval_output.h"
#include "core/labels.h"
#include "core/rng.h"
#include "learn/data/clip_faces.h"
#include "learn/data/moment_truth.h"
#include "learn/data/ordered_workers.h"
#include "report/eval_report.h"
#include "report/mask_quality.h"
#include "report/text.h"

namespace mien::cli {
namespace {

constexpr std::size_t kTableRows = 20;
constexpr int kDecoders = 2;
constexpr int kClipsAhead = 4;
constexpr std::uint64_t kDropSeed = 4;  // of what --drop random draws, with the clip's number
constexpr int kBudgetDigits = 10;       // behind the point, at most

// A list, and what it takes to score its clips.
struct Task {
  const learn::ClipList& list;
  int fold = 1;
  int segments = 1;
  std::vector<std::size_t> class_of{};        // the model's index of each of the list's classes
  std::optional<learn::MomentTruth> truth{};  // where the mask is measured against it
};

// The model's answers to the views of clip number `index`, in the classes of the data set, and what
// its mask made of each when that is measured.
Result<std::vector<ClipMask>> score_views(const Task& task, std::size_t index,
                                          const ClipViews& views, ClipAnswers& model,
                                          report::ViewScores& scores) {
  const learn::ClipEntry& clip = task.list.clips[index];
  const std::span<const std::uint8_t> pixels = views.pixels;
  const std::size_t view_bytes = pixels.size() / static_cast<std::size_t>(task.segments);
  std::vector<float> logits(model.classes().size());
  std::vector<float> own(task.class_of.size());
  const std::size_t length = views.indices.size() / static_cast<std::size_t>(task.segments);
  const std::span<const std::int64_t> frames = views.indices;
  std::vector<ClipMask> masks;
  for (int segment = 0; segment < task.segments; ++segment) {
    const auto number = static_cast<std::size_t>(segment);
    // A clip no longer than the model's gives the same view again, and the model the same answer.
    const bool again = number > 0 && !model.draws() &&
                       std::ranges::equal(frames.subspan(number * length, length),
                                          frames.subspan((number - 1) * length, length));
    ClipMask mask;
    if (again) {
      if (task.truth) mask = masks.back();
    } else {
      MIEN_TRY(model.logits(pixels.subspan(number * view_bytes, view_bytes),
                            core::Rng::mix(kDropSeed, index, number), logits,
                            task.truth ? &mask : nullptr));
    }
    for (std::size_t c = 0; c < own.size(); ++c) own[c] = logits[task.class_of[c]];
    MIEN_TRY(scores.add({.id = clip.id, .fold = task.fold, .truth = clip.label, .segment = segment},
                        own));
    if (task.truth) masks.push_back(std::move(mask));
  }
  return masks;
}

// Measures what the mask made of a clip's views against the true intensity of their frames.
Status measure_masks(const learn::ClipEntry& clip, const std::vector<double>& truth,
                     const ClipViews& views, const std::vector<ClipMask>& masks, std::size_t slots,
                     report::MaskScores& scores) {
  if (static_cast<std::int64_t>(truth.size()) != views.frames) {
    return make_error(ErrorCode::kBadFormat,
                      "has " + std::to_string(views.frames) + " frames, truth.csv says " +
                          std::to_string(truth.size()),
                      clip.path);
  }
  std::vector<double> intensity;
  for (const std::int64_t frame : views.indices) {
    intensity.push_back(truth[static_cast<std::size_t>(frame)]);
  }
  const std::size_t length = intensity.size() / masks.size();
  std::vector<report::MaskView> seen;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    seen.push_back({.mask = masks[i].mask,
                    .kept = masks[i].kept,
                    .intensity = std::span(intensity).subspan(i * length, length)});
  }
  return scores.add(seen, slots, *std::max_element(truth.begin(), truth.end()));
}

// What an evaluation has found so far; one fold comes behind the other.
struct Evaluation {
  report::ScoreTable table;
  std::vector<learn::ClipEntry> clips;  // row by row of the table
  report::MaskScores masks;
  std::string answered_by;
  std::string budget;  // of the model's mask; empty without one
  std::string frames;  // how they were taken
};

// What is needed to score the clips of `list`, of which none is left out yet.
Result<Task> make_task(const ClipEvalArguments& arguments, const learn::ClipList& list, int fold,
                       const ClipAnswers& model) {
  Task task{.list = list, .fold = fold, .segments = arguments.segments};
  MIEN_ASSIGN(task.class_of, match_classes(list, model.classes()));
  if (model.mask_slots() > 1) {
    MIEN_ASSIGN(task.truth, learn::find_moment_truth(arguments.source, list));
  }
  return task;
}

// Scores the clips of a list that can be read; the others join `check`.
Status score_clips(const ClipEvalArguments& arguments, const Task& task, ClipAnswers& model,
                   learn::ClipCheck& check, Evaluation& out) {
  const learn::ClipList& list = task.list;
  MIEN_ASSIGN(const auto faces,
              learn::make_face_finder(arguments.faces, list.format, arguments.detector));
  out.frames = faces ? "cut to the faces that " + arguments.detector + " finds" : "whole";
  const ViewOptions options{.segments = arguments.segments,
                            .rate = arguments.rate,
                            .length = model.frames(),
                            .side = model.side()};
  const auto clips = static_cast<std::int64_t>(list.clips.size());
  learn::OrderedWorkers<ClipViews> reader(
      [&](std::int64_t i) {
        return read_views(list.clips[static_cast<std::size_t>(i)], faces.get(), options);
      },
      0, clips, kDecoders, kClipsAhead);
  report::ViewScores scores(list.classes.size());
  check.usable = 0;
  for (std::size_t index = 0; index < list.clips.size(); ++index) {
    const learn::ClipEntry& clip = list.clips[index];
    MIEN_ASSIGN(const ClipViews views, reader.next());
    if (!views.problem.empty()) {
      check.missing.push_back({clip.id, clip.path, views.problem});
      continue;
    }
    MIEN_ASSIGN(const auto masks, score_views(task, index, views, model, scores));
    if (task.truth && list.classes[static_cast<std::size_t>(clip.label)] != learn::kNoMoment) {
      MIEN_TRY(measure_masks(clip, task.truth->at(clip.id), views, masks, model.mask_slots(),
                             out.masks));
    }
    out.clips.push_back(clip);
    out.clips.back().face = views.face;
    ++check.usable;
  }
  for (report::ClipScore& score : scores.scores()) out.table.clips.push_back(std::move(score));
  return {};
}

// With --strict an error, else a table on stderr, when clips cannot be used.
Status tell_missing(const ClipEvalArguments& arguments, const learn::ClipCheck& check) {
  if (check.missing.empty()) return {};
  if (arguments.strict) {
    const learn::ClipProblem& first = check.missing.front();
    return make_error(ErrorCode::kNotFound,
                      std::to_string(check.missing.size()) + " clips cannot be used, e.g. " +
                          first.path + ": " + first.reason,
                      arguments.source.path);
  }
  std::cerr << learn::problem_table(check, kTableRows);
  return {};
}

Status evaluate_fold(const ClipEvalArguments& arguments, int fold, Evaluation& out) {
  const std::string path = with_fold(arguments.model, fold);
  const ClipAnswerOptions options{.threads = arguments.threads,
                                  .precision = arguments.precision,
                                  .budget = arguments.budget,
                                  .choice = arguments.choice};
  MIEN_ASSIGN(const std::unique_ptr<ClipAnswers> model, arguments.reference
                                                            ? reference_answers(path, options)
                                                            : engine_answers(path, options));
  out.answered_by = model->name();
  if (model->mask_slots() > 0) out.budget = report::compact(model->budget(), kBudgetDigits);
  learn::ClipSource source = arguments.source;
  source.fold = fold;
  MIEN_ASSIGN(learn::ClipList list, learn::read_clip_list(source));
  if (!out.clips.empty() && list.classes != out.table.classes) {
    return make_error(ErrorCode::kInvalidArgument,
                      "fold " + std::to_string(fold) + " has other classes than those before it",
                      source.path);
  }
  out.table.classes = list.classes;
  MIEN_ASSIGN(const Task task, make_task(arguments, list, fold, *model));
  learn::ClipCheck check = learn::check_clips(list);  // of which the task sees what is left
  MIEN_TRY(score_clips(arguments, task, *model, check, out));
  return tell_missing(arguments, check);
}

// The protocol that was asked for, else the data set's own.
Result<report::Protocol> protocol_of(const ClipEvalArguments& arguments) {
  if (!arguments.protocol.empty()) return report::find_protocol(arguments.protocol);
  auto own = report::find_protocol(arguments.source.format);
  if (own.ok()) return own;
  return report::find_protocol("single");
}

// Pictures of the clips that were answered wrongly.
void add_strips(const Evaluation& evaluation, report::EvalReport& report) {
  std::map<std::pair<int, std::string>, std::size_t> rows;
  for (std::size_t i = 0; i < evaluation.table.clips.size(); ++i) {
    rows[{evaluation.table.clips[i].fold, evaluation.table.clips[i].id}] = i;
  }
  for (report::Mistake& mistake : report.mistakes) {
    const auto row = rows.find({mistake.fold, mistake.id});
    if (row != rows.end()) mistake.strip = clip_strip(evaluation.clips[row->second]);
  }
}

void describe(const ClipEvalArguments& arguments, const Evaluation& evaluation,
              report::EvalReport& report) {
  report.title = report.protocol.protocol.title + ": " +
                 std::filesystem::path(arguments.model).filename().string();
  report.dataset = arguments.source.path + " (" + arguments.source.split + ")";
  report.model = arguments.model;
  report.settings = {{"computed by", evaluation.answered_by},
                     {"views per clip", std::to_string(arguments.segments)},
                     {"frame rate divided by", std::to_string(arguments.rate)},
                     {"frames", evaluation.frames}};
  if (!evaluation.budget.empty()) report.settings.emplace_back("budget", evaluation.budget);
  const report::MaskQuality mask = evaluation.masks.quality();
  if (mask.clips > 0) report.mask = mask;
  report.repeat = arguments.repeat;
}

}  // namespace

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

std::vector<std::string> clip_eval_formats() {
  std::vector<std::string> formats = learn::clip_formats();
  std::replace(formats.begin(), formats.end(), std::string("manifest"), std::string("clips"));
  return formats;
}

bool is_clip_format(const std::string& format) {
  const std::vector<std::string> formats = clip_eval_formats();
  return std::find(formats.begin(), formats.end(), format) != formats.end();
}

Result<std::string> evaluate_clips(const ClipEvalArguments& given) {
  ClipEvalArguments arguments = given;
  if (arguments.source.format == "clips") arguments.source.format = "manifest";
  MIEN_ASSIGN(const report::Protocol protocol, protocol_of(arguments));
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
  describe(arguments, evaluation, report);
  add_strips(evaluation, report);
  MIEN_ASSIGN(report.histories, read_histories(arguments.histories, report.protocol.results));
  return hand_over(report, arguments.out, arguments.json);
}

}  // namespace mien::cli
