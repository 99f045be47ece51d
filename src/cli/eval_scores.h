// mien eval on files of scores: the report of a test that was run in parts, or of an ensemble,
// without its models and its data.
#pragma once

#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::cli {

struct ScoreEvalArguments {
  std::vector<std::string> files;      // scores.csv of earlier evaluations
  std::string protocol;                // of report/protocol.h
  bool average = false;                // the files are of the same clips
  bool partial = false;                // a report even when folds are missing
  std::vector<std::string> histories;  // as ClipEvalArguments has them
  bool json = false;
  std::string out;     // folder for the report's files; may be empty
  std::string repeat;  // the command line, for the report
};

// What is wrong with the arguments as a command ("" when nothing is): no file or no protocol, a
// file named twice, one file to average, an `out` whose scores.csv would take the place of one of
// the files.
std::string wrong_scores_usage(const ScoreEvalArguments& arguments);

// Puts the files together, different clips of one test as they are, the same clips by the mean of
// their probabilities, and returns what to print on stdout. The folds are those that stand in the
// files. Errors: those of report::read_scores, join_scores, average_scores, make_report and
// write_report.
Result<std::string> evaluate_scores(const ScoreEvalArguments& arguments);

}  // namespace mien::cli
