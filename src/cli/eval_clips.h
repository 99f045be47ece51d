// mien eval on clips: the test protocols of the DFER papers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/clip_answers.h"
#include "learn/data/clip_lists.h"
#include "mien/recognizer.hpp"

namespace mien::cli {

struct ClipEvalArguments {
  std::string model;                   // "{fold}" in it stands for the fold's number
  learn::ClipSource source;            // format: one of clip_eval_formats
  std::string protocol;                // of report/protocol.h; empty: the data set's own
  bool all_folds = false;              // every fold of the protocol, each with its model
  std::vector<std::string> histories;  // history.csv files to draw, "{fold}" as above
  Precision precision = Precision::kAuto;
  bool reference = false;                          // LibTorch instead of the engine
  double budget = 0.0;                             // of a model with a soft mask; 0: its own
  TokenChoice choice = TokenChoice::kLargestMask;  // others need `reference`
  bool strict = false;                             // an unusable clip is an error
  bool json = false;
  int threads = 0;
  int rate = 1;                   // every rate-th frame
  int segments = 2;               // temporal views per clip
  std::string faces = "auto";     // what is used of the frames: learn::cuts_to_faces
  std::string detector = "haar";  // what finds the faces
  std::string out;     // folder for report.html, report.json, report.csv, scores.csv; may be empty
  std::string repeat;  // the command line, for the report
};

// The names of learn::clip_formats as `mien eval` takes them: "clips" is a manifest of clips, since
// "manifest" is one of stills.
std::vector<std::string> clip_eval_formats();

// Whether a format name is one of these.
bool is_clip_format(const std::string& format);

// The model's index of each of the data set's classes. Error kInvalidArgument when it lacks one.
Result<std::vector<std::size_t>> match_classes(const learn::ClipList& list,
                                               const std::vector<std::string>& model);

// Runs the evaluation and returns what to print on stdout. News (what is missing) go to stderr.
// Where the truth is known (learn/data/moment_truth.h), masks are measured against it.
Result<std::string> evaluate_clips(const ClipEvalArguments& arguments);

}  // namespace mien::cli
