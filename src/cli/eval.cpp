// mien eval: how right a model is, measured in the engine that users run, on stills, on points or
// on clips; or the report of what was measured before. Here are its options and who works on them.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/eval_clips.h"
#include "cli/eval_landmarks.h"
#include "cli/eval_output.h"
#include "cli/eval_scores.h"
#include "cli/eval_stills.h"
#include "cli/train_command.h"
#include "core/model_file.h"
#include "mien/analyzer.hpp"
#include "report/protocol.h"
#include "report/text.h"

namespace mien::cli {
namespace {

struct EvalArguments {
  StillEvalArguments stills;  // model, data, threads, json and out are those of clips too
  ClipEvalArguments clips;    // the rest of what clips have
  ScoreEvalArguments scores;  // the rest of what score files have
  std::string precision = "auto";
  std::string sheet_order = "worst";
  std::string fold = "1";
  std::string drop = "mask";
  std::vector<const CLI::Option*> of_models;  // those that mean nothing to score files
};

int fail(const Error& error) {
  std::cerr << "mien-train: " << error.to_string() << "\n";
  return 1;
}

int wrong_usage(const std::string& what) {
  std::cerr << "mien-train: " << what << " (see mien eval --help)\n";
  return 2;
}

Precision precision_of(const std::string& name) {
  if (name == "f32") return Precision::kF32;
  if (name == "int8") return Precision::kInt8;
  return name == "bf16" ? Precision::kBf16 : Precision::kAuto;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// ---- who works on them

Result<std::string> run_on_stills(const EvalArguments& given) {
  StillEvalArguments arguments = given.stills;
  arguments.precision = precision_of(given.precision);
  arguments.sheet_order = given.sheet_order == "even" ? SheetOrder::kEven : SheetOrder::kWorst;
  const std::string tenth = arguments.source.tenth == "all" ? "" : arguments.source.tenth;
  arguments.repeat = RepeatLine()
                         .option("--model", arguments.model)
                         .option("--data", arguments.source.path)
                         .option("--format", arguments.source.format)
                         .option("--split", arguments.source.split)
                         .option("--tenth", tenth)
                         .option("--precision", given.precision)
                         .flag("--keep-duplicates", arguments.keep_duplicates)
                         .text();
  // Only the config is wanted here: which of the two kinds of model this is.
  MIEN_ASSIGN(const core::ModelFile file, core::open_model(arguments.model));
  return file.config.arch == core::Arch::kMobileFaceNet ? evaluate_landmarks(arguments)
                                                        : evaluate_stills(arguments);
}

bool asks_of_mask(const EvalArguments& given) {
  return given.clips.budget != 0.0 || given.drop != "mask";
}

Result<std::string> run_on_clips(const EvalArguments& given) {
  ClipEvalArguments arguments = given.clips;
  const std::string budget = arguments.budget > 0.0 ? report::compact(arguments.budget, 10) : "";
  arguments.model = given.stills.model;
  arguments.source.path = given.stills.source.path;
  arguments.source.format = given.stills.source.format;
  arguments.source.split = given.stills.source.split;
  arguments.all_folds = given.fold == "all";
  if (!arguments.all_folds) arguments.source.fold = std::stoi(given.fold);
  arguments.choice = token_choice(given.drop).value_or(TokenChoice::kLargestMask);
  const bool draws = arguments.choice != TokenChoice::kLargestMask;
  arguments.reference = given.clips.reference || draws;
  arguments.precision = precision_of(given.precision);
  arguments.threads = given.stills.threads;
  arguments.json = given.stills.json;
  arguments.out = given.stills.out;
  arguments.repeat = RepeatLine()
                         .option("--model", arguments.model)
                         .option("--data", arguments.source.path)
                         .option("--format", arguments.source.format)
                         .option("--split", arguments.source.split)
                         .option("--annotation", arguments.source.annotation)
                         .option("--fold", given.fold)
                         .option("--protocol", arguments.protocol)
                         .flag("--reference", arguments.reference)
                         .option("--budget", budget)
                         .option("--drop", draws ? given.drop : "")
                         .option("--precision", arguments.reference ? "" : given.precision)
                         .option("--rate", std::to_string(arguments.rate))
                         .option("--segments", std::to_string(arguments.segments))
                         .option("--faces", arguments.faces)
                         .option("--detector", arguments.detector)
                         .option("--history", arguments.histories)
                         .text();
  return evaluate_clips(arguments);
}

ScoreEvalArguments score_arguments(const EvalArguments& given) {
  ScoreEvalArguments arguments = given.scores;
  arguments.protocol = given.clips.protocol;
  arguments.histories = given.clips.histories;
  arguments.json = given.stills.json;
  arguments.out = given.stills.out;
  arguments.repeat = RepeatLine()
                         .option("--scores", arguments.files)
                         .option("--protocol", arguments.protocol)
                         .flag("--average", arguments.average)
                         .flag("--partial", arguments.partial)
                         .option("--history", arguments.histories)
                         .text();
  return arguments;
}

// What is wrong with the options taken together; "" when nothing is.
std::string contradiction(const EvalArguments& given) {
  if (given.scores.files.empty()) {
    if (given.scores.average) return "--average needs --scores";
    if (given.scores.partial) return "--partial needs --scores";
    return given.stills.source.path.empty() ? "--data (or --scores) is required" : "";
  }
  for (const CLI::Option* option : given.of_models) {
    if (option->count() > 0) {
      return option->get_name() + " has no meaning with --scores, which takes no model and no data";
    }
  }
  return wrong_scores_usage(score_arguments(given));
}

// What is wrong with asking the model about a mask; "" when nothing is, or when the model cannot be
// opened, which whoever works with it says.
std::string wrong_mask_usage(const EvalArguments& given) {
  if (!asks_of_mask(given)) return "";
  if (!is_clip_format(given.stills.source.format)) {
    return "--budget and --drop are for clips (--format)";
  }
  if (!(given.clips.budget >= 0.0)) return "--budget is no number";
  const std::string path =
      with_fold(given.stills.model, given.fold == "all" ? 1 : std::stoi(given.fold));
  const auto file = core::open_model(path);
  if (!file || file->config.arch == core::Arch::kAdaTosk) return "";
  return "--budget and --drop: " + path + " has no soft mask";
}

Status choose_model(EvalArguments& arguments) {
  if (!arguments.scores.files.empty() || !arguments.stills.model.empty()) return {};
  const bool stills = !is_clip_format(arguments.stills.source.format);
  MIEN_ASSIGN(arguments.stills.model, find_default_model(stills));
  return {};
}

Result<std::string> dispatch(const EvalArguments& arguments) {
  if (!arguments.scores.files.empty()) return evaluate_scores(score_arguments(arguments));
  return is_clip_format(arguments.stills.source.format) ? run_on_clips(arguments)
                                                        : run_on_stills(arguments);
}

int run_eval(EvalArguments& arguments) {
  if (const std::string wrong = contradiction(arguments); !wrong.empty()) return wrong_usage(wrong);
  if (const Status chosen = choose_model(arguments); !chosen) return fail(chosen.error());
  if (const std::string wrong = wrong_mask_usage(arguments); !wrong.empty()) {
    return wrong_usage(wrong);
  }
  const auto text = dispatch(arguments);
  if (!text) return fail(text.error());
  std::cout << *text;
  return 0;
}

// ---- the options

void declare_model_and_data(CLI::App& command, EvalArguments& arguments) {
  auto& own = arguments.of_models;
  learn::StillSource& source = arguments.stills.source;
  own.push_back(
      command.add_option("--model", arguments.stills.model,
                         "model file (default: the bundled one for stills or for clips)"));
  own.push_back(command.add_option("--data", source.path, "dataset folder"));
  own.push_back(command
                    .add_option("--format", source.format,
                                "stills: ferplus, faces, rafdb, affectnet, manifest, pack, auto; "
                                "clips: " +
                                    joined(clip_eval_formats()) +
                                    "; of these, clips is a manifest.csv of clips")
                    ->capture_default_str());
  own.push_back(
      command.add_option("--split", source.split, "train, valid or test")->capture_default_str());
  own.push_back(command.add_option("--precision", arguments.precision, "auto, f32, bf16 or int8")
                    ->check(CLI::IsMember({"auto", "f32", "bf16", "int8"}))
                    ->capture_default_str());
  own.push_back(command.add_option("--threads", arguments.stills.threads, "0: all cores")
                    ->capture_default_str());
}

void declare_stills(CLI::App& command, EvalArguments& arguments) {
  auto& own = arguments.of_models;
  own.push_back(
      command
          .add_option("--tenth", arguments.stills.source.tenth,
                      "all; held: only the persons that training left out; keep: the others")
          ->check(CLI::IsMember({"all", "keep", "held"}))
          ->capture_default_str());
  own.push_back(command.add_option("--sheet", arguments.stills.sheet,
                                   "PNG of 40 of the pictures with what the model answered"));
  own.push_back(command
                    .add_option("--sheet-order", arguments.sheet_order,
                                "worst: the worst answers; even: spread over the data")
                    ->check(CLI::IsMember({"worst", "even"}))
                    ->capture_default_str());
  own.push_back(command.add_flag("--keep-duplicates", arguments.stills.keep_duplicates,
                                 "count pictures listed in <split>_duplicates.csv too"));
}

void declare_clips(CLI::App& command, EvalArguments& arguments) {
  auto& own = arguments.of_models;
  ClipEvalArguments& clips = arguments.clips;
  own.push_back(
      command.add_option("--fold", arguments.fold, "clips: 1, 2, ... or all ({fold} in --model)")
          ->check(CLI::IsMember({"all", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}))
          ->capture_default_str());
  own.push_back(command.add_option("--rate", clips.rate, "clips: every rate-th frame")
                    ->check(CLI::Range(1, 1000))
                    ->capture_default_str());
  own.push_back(command.add_option("--segments", clips.segments, "clips: temporal views of each")
                    ->check(CLI::Range(1, 100))
                    ->capture_default_str());
  own.push_back(command.add_option("--annotation", clips.source.annotation,
                                   "clips: list file to read instead of the official one"));
  own.push_back(
      command
          .add_option("--faces", clips.faces,
                      "clips: detect cuts every clip to the face in it, whole takes frames as they "
                      "are; auto: detect for ravdess and crema-d")
          ->check(CLI::IsMember({"auto", "whole", "detect"}))
          ->capture_default_str());
  own.push_back(
      command.add_option("--detector", clips.detector, "clips: 'haar', or an .onnx face detector")
          ->capture_default_str());
  own.push_back(command.add_flag("--reference", clips.reference,
                                 "clips: compute in LibTorch instead of the engine"));
  own.push_back(
      command
          .add_option("--budget", clips.budget,
                      "clips, AdaTosk models: share of the tokens that is computed to the end, "
                      "above 0 up to 1 (default: the model's)")
          ->check(CLI::Range(1e-6, 1.0)));
  own.push_back(
      command
          .add_option("--drop", arguments.drop,
                      "clips, AdaTosk models: which tokens are computed to the end. mask: those "
                      "that count most; random: as many drawn at random, the same in every run; "
                      "random-slots: the same in whole slots (controls; imply "
                      "--reference)")
          ->check(CLI::IsMember({"mask", "random", "random-slots"}))
          ->capture_default_str());
  own.push_back(command.add_flag("--strict", clips.strict, "clips: an unusable clip is an error"));
}

void declare_reports(CLI::App& command, EvalArguments& arguments) {
  command.add_option("--scores", arguments.scores.files,
                     "scores.csv files of earlier evaluations of clips, put together to one report "
                     "without model or data; each clip's fold is as its file says");
  command.add_flag("--average", arguments.scores.average,
                   "scores: the files are of the same clips (an ensemble): mean of their "
                   "probabilities");
  command.add_flag("--partial", arguments.scores.partial,
                   "scores: a report even when folds are missing");
  command.add_option(
      "--protocol", arguments.clips.protocol,
      "clips (default: by format), scores (required): " + joined(report::protocol_names()));
  command.add_option("--history", arguments.clips.histories,
                     "clips, scores: history.csv of the training, drawn in the report ({fold} as "
                     "in --model)");
  command.add_option("--out", arguments.stills.out,
                     "folder for report.html, .json, .csv and scores.csv; of stills eval.json too");
  command.add_flag("--json", arguments.stills.json, "one JSON document on stdout");
}

}  // namespace

void add_eval(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<EvalArguments>();
  arguments->stills.source.split = "valid";
  CLI::App* command = root.add_subcommand(
      "eval", "measure a model on labelled stills or clips, or put such measurements together");
  declare_model_and_data(*command, *arguments);
  declare_stills(*command, *arguments);
  declare_clips(*command, *arguments);
  declare_reports(*command, *arguments);
  command->callback([arguments, &exit_code] { exit_code = run_eval(*arguments); });
}

}  // namespace mien::cli
