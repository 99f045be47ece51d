#include "cli/eval_scores.h"

#include <filesystem>
#include <set>
#include <utility>

#include "cli/eval_output.h"
#include "report/eval_report.h"
#include "report/score_join.h"

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

// The same text for every way of naming a file, whether it exists or not.
std::string place_of(const fs::path& path) {
  std::error_code failed;
  const fs::path place = fs::weakly_canonical(path, failed);
  return failed ? path.lexically_normal().string() : place.string();
}

Result<std::vector<report::NamedScores>> read_files(const std::vector<std::string>& files) {
  std::vector<report::NamedScores> parts;
  for (const std::string& file : files) {
    MIEN_ASSIGN(report::ScoreTable table, report::read_scores(file));
    parts.push_back({file, std::move(table)});
  }
  return parts;
}

// "fold1/scores.csv: fold 1, 2341 clips"
std::string contents_of(const report::NamedScores& part) {
  std::set<int> folds;
  for (const report::ClipScore& clip : part.table.clips) folds.insert(clip.fold);
  std::string numbers;
  for (const int fold : folds) numbers += (numbers.empty() ? "" : ", ") + std::to_string(fold);
  return part.name + ": fold " + (numbers.empty() ? "-" : numbers) + ", " +
         std::to_string(part.table.clips.size()) + " clips";
}

void describe(const ScoreEvalArguments& arguments, const std::vector<report::NamedScores>& parts,
              report::EvalReport& report) {
  const std::string files =
      parts.size() == 1 ? parts.front().name : std::to_string(parts.size()) + " score files";
  report.title =
      report.protocol.protocol.title + ": " + (arguments.average ? "mean of " : "") + files;
  report.settings.emplace_back("score files", arguments.average
                                                  ? "of the same clips: mean of the probabilities"
                                                  : "of different clips: joined");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    report.settings.emplace_back("file " + std::to_string(i + 1), contents_of(parts[i]));
  }
  report.repeat = arguments.repeat;
}

}  // namespace

std::string wrong_scores_usage(const ScoreEvalArguments& arguments) {
  if (arguments.files.empty()) return "--scores needs a file";
  if (arguments.protocol.empty()) return "--scores needs --protocol";
  if (arguments.average && arguments.files.size() < 2) return "--average needs two files or more";
  std::set<std::string> places;
  for (const std::string& file : arguments.files) {
    if (!places.insert(place_of(file)).second) return "--scores: " + file + " is named twice";
  }
  if (arguments.out.empty()) return "";
  const fs::path written = fs::path(arguments.out) / "scores.csv";
  if (places.contains(place_of(written))) {
    return "--out: " + written.string() + " is one of the score files and would be replaced";
  }
  return "";
}

Result<std::string> evaluate_scores(const ScoreEvalArguments& arguments) {
  MIEN_ASSIGN(const report::Protocol protocol, report::find_protocol(arguments.protocol));
  MIEN_ASSIGN(const std::vector<report::NamedScores> parts, read_files(arguments.files));
  MIEN_ASSIGN(report::ScoreTable table,
              arguments.average ? report::average_scores(parts) : report::join_scores(parts));
  MIEN_ASSIGN(report::EvalReport report, report::make_report(std::move(table), protocol,
                                                             {.allow_partial = arguments.partial}));
  describe(arguments, parts, report);
  MIEN_ASSIGN(report.histories, read_histories(arguments.histories, report.protocol.results));
  return hand_over(report, arguments.out, arguments.json);
}

}  // namespace mien::cli
