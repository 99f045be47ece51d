// What the evaluations share: the command line that repeats one, training curves, and how a report
// is handed over.
#pragma once

#include <string>
#include <vector>

#include "report/eval_report.h"

namespace mien::cli {

// "{fold}" in `text` replaced by the fold's number, wherever it stands.
std::string with_fold(std::string text, int fold);

// A word as it stands in a command line: in quotes where a shell would take it apart.
std::string shell_word(const std::string& word);

// The command that makes a report again, word by word; words that a shell would take apart are
// quoted.
class RepeatLine {
 public:
  // "--name value"; nothing when the value is empty.
  RepeatLine& option(const std::string& name, const std::string& value);
  // "--name value value ..."; nothing without values.
  RepeatLine& option(const std::string& name, const std::vector<std::string>& values);
  RepeatLine& flag(const std::string& name, bool given);
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "mien eval";
};

// The history.csv files that `patterns` name: a pattern with "{fold}" is one file per fold of
// `folds` ("fold 2"), any other is one file, named by its path. Errors as report::read_history.
Result<std::vector<report::NamedHistory>> read_histories(
    const std::vector<std::string>& patterns, const std::vector<report::FoldResult>& folds);

// Writes the report's files into `folder` (none when it is empty) and returns what to print on
// stdout: the JSON document, or a table for people. Errors as report::write_report.
Result<std::string> hand_over(const report::EvalReport& report, const std::string& folder,
                              bool json);

}  // namespace mien::cli
