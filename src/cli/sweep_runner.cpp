#include "cli/sweep_runner.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include "cli/child_process.h"
#include "cli/interrupt.h"
#include "core/files.h"
#include "learn/sweep_record.h"
#include "report/training_history.h"

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogTail = 4096;  // bytes of a log that are searched for a reason
constexpr std::uint64_t kMaxLog = std::uint64_t{64} << 20;

void say(const std::string& line) {
  std::fprintf(stderr, "mien-train: %s\n", line.c_str());
}

Error cancelled() {
  return make_error(ErrorCode::kCancelled, "stopped; the same command goes on from here");
}

// The last line of a log, which is where a program says what it died of.
std::string last_line(const std::string& path) {
  auto text = core::read_text_file(path, kMaxLog);
  if (!text.ok()) return {};
  if (text->size() > kLogTail) text->erase(0, text->size() - kLogTail);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const std::size_t start = text->rfind('\n');
  return start == std::string::npos ? *text : text->substr(start + 1);
}

// Makes the folder of a file.
Status make_folder_of(const std::string& path) {
  std::error_code code;
  fs::create_directories(fs::path(path).parent_path(), code);
  return code ? Status(make_error(ErrorCode::kIo, code.message(), path)) : Status();
}

// Runs mien-train and returns the seconds it took. Errors: kCancelled; kInternal with what it said
// last.
Result<double> run_trainer(const SweepPrograms& programs, const std::vector<std::string>& arguments,
                           const ChildOutput& output) {
  std::vector<std::string> argv = {programs.trainer};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  MIEN_TRY(make_folder_of(output.log));
  MIEN_ASSIGN(const ChildEnd end, run_child(argv, output));
  if (interrupted()) return cancelled();
  if (end.exit_code != 0) {
    return make_error(ErrorCode::kInternal, "mien " + arguments.front() + " ended with code " +
                                                std::to_string(end.exit_code) + " (" + output.log +
                                                "): " + last_line(output.log));
  }
  return end.seconds;
}

// Seconds spent training, over all its starts; NaN where the history does not say.
double training_seconds(const SweepRun& run) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  if (run.folder.empty()) return unknown;
  const auto history = report::read_history(run.folder + "/history.csv");
  if (!history.ok() || history->rows.empty()) return unknown;
  const auto column = history->column("seconds");
  return column ? history->rows.back()[*column] : unknown;
}

// How long one kind of work takes, by what was done of it.
struct Pace {
  std::size_t done = 0;
  double seconds = 0;  // of those done

  void add(double took) {
    ++done;
    seconds += took;
  }
  bool can_tell(std::size_t left) const { return left == 0 || done > 0; }
  double remaining(std::size_t left) const {
    return done == 0 ? 0.0 : seconds / static_cast<double>(done) * static_cast<double>(left);
  }
};

std::string duration(double seconds) {
  const auto minutes = static_cast<long>(seconds / 60.0 + 0.5);
  if (minutes == 0) return "under a minute";
  char text[40];
  std::snprintf(text, sizeof(text), "%ldh%02ldm", minutes / 60, minutes % 60);
  return text;
}

class Runner {
 public:
  Runner(const std::vector<SweepRun>& runs, const SweepPrograms& programs)
      : runs_(runs), programs_(programs) {
    total_ = static_cast<std::size_t>(
        std::count_if(runs.begin(), runs.end(), [](const SweepRun& run) { return run.wanted; }));
  }

  // Trains a run and measures it; whether there was anything to do.
  Result<bool> work_on(std::size_t index);
  std::vector<report::SweepResult> results() const;

 private:
  void announce(std::size_t index, const std::string& what) const;
  Status train(std::size_t index);
  Status measure(std::size_t index, const SweepMeasurement& measurement);

  const std::vector<SweepRun>& runs_;
  const SweepPrograms& programs_;
  std::size_t total_ = 0;  // runs that are wanted
  std::size_t at_ = 0;     // the one at work among them, from 1
  Pace trainings_;
  Pace measurements_;
};

void Runner::announce(std::size_t index, const std::string& what) const {
  std::set<std::string> trainings;  // rows may share one
  std::size_t measurements = 0;
  for (std::size_t i = index; i < runs_.size(); ++i) {
    const SweepRun& run = runs_[i];
    if (!run.wanted) continue;
    if (!is_trained(run)) trainings.insert(run.model);
    measurements += static_cast<std::size_t>(
        std::count_if(run.measurements.begin(), run.measurements.end(),
                      [](const SweepMeasurement& m) { return !is_measured(m); }));
  }
  std::string line = "run " + std::to_string(at_) + " of " + std::to_string(total_) + ": " +
                     runs_[index].title() + ": " + what;
  if (trainings_.can_tell(trainings.size()) && measurements_.can_tell(measurements)) {
    line +=
        "; about " +
        duration(trainings_.remaining(trainings.size()) + measurements_.remaining(measurements)) +
        " left of all";
  }
  say(line);
}

Status Runner::train(std::size_t index) {
  const SweepRun& run = runs_[index];
  announce(index, "training, see " + run.log);
  MIEN_ASSIGN(const double seconds,
              run_trainer(programs_, run.arguments, {.out = {}, .log = run.log}));
  if (!is_trained(run)) {
    return make_error(ErrorCode::kInternal, "the training left no model", run.model);
  }
  trainings_.add(seconds);
  return {};
}

Status Runner::measure(std::size_t index, const SweepMeasurement& measurement) {
  announce(index, measurement.evaluation);
  MIEN_TRY(make_folder_of(measurement.record));
  const std::string printed = measurement.record + ".part";
  const auto seconds =
      run_trainer(programs_, measurement.arguments, {.out = printed, .log = runs_[index].log});
  const auto json = core::read_text_file(printed, kMaxLog);
  std::error_code ignored;
  fs::remove(printed, ignored);
  if (!seconds.ok()) return seconds.error().within(measurement.evaluation);
  if (!json.ok()) return json.error();
  if (const Status status =
          learn::write_sweep_record(measurement.record, measurement.key, *seconds, *json);
      !status.ok()) {
    return status.error().within(measurement.evaluation);
  }
  measurements_.add(*seconds);
  return {};
}

Result<bool> Runner::work_on(std::size_t index) {
  const SweepRun& run = runs_[index];
  ++at_;
  if (!run.problem.empty()) return make_error(ErrorCode::kInvalidArgument, run.problem);
  const bool finished = std::all_of(run.measurements.begin(), run.measurements.end(), is_measured);
  if (finished) return false;
  if (!is_trained(run)) MIEN_TRY(train(index));
  // One evaluation that fails does not keep the next from being made.
  Status first;
  for (const SweepMeasurement& measurement : run.measurements) {
    if (is_measured(measurement)) continue;
    const Status status = measure(index, measurement);
    if (status.ok()) continue;
    if (status.error().code == ErrorCode::kCancelled) return status.error();
    if (first.ok()) first = status;
  }
  if (!first.ok()) return first.error();
  return true;
}

std::vector<report::SweepResult> Runner::results() const {
  std::vector<report::SweepResult> out;
  for (const SweepRun& run : runs_) {
    const double seconds = training_seconds(run);
    for (const SweepMeasurement& measurement : run.measurements) {
      auto record = learn::read_sweep_record(measurement.record, measurement.key);
      if (!record.ok()) continue;
      out.push_back({.row = run.row,
                     .seed = run.seed,
                     .evaluation = measurement.evaluation,
                     .model = run.model,
                     .training_seconds = seconds,
                     .evaluation_seconds = record->seconds,
                     .figures = std::move(record->figures)});
    }
  }
  return out;
}

}  // namespace

bool is_trained(const SweepRun& run) {
  // The trainer gives a model its name when it is whole.
  std::error_code ignored;
  return run.arguments.empty() || fs::exists(run.model, ignored);
}

bool is_measured(const SweepMeasurement& measurement) {
  return learn::read_sweep_record(measurement.record, measurement.key).ok();
}

Status prepare_sweep(const learn::SweepConfig& config, const SweepPrograms& programs) {
  for (const learn::SweepPreparation& preparation : config.preparations) {
    std::error_code ignored;
    if (fs::exists(preparation.out, ignored)) continue;
    say("making " + preparation.out);
    const std::string& command = preparation.command.front();
    const bool ours = command == "train" || command == "eval" || command == "pack";
    std::vector<std::string> argv = {ours ? programs.trainer : programs.other};
    argv.insert(argv.end(), preparation.command.begin(), preparation.command.end());
    MIEN_ASSIGN(const ChildEnd end, run_child(argv, {}));
    if (interrupted()) return cancelled();
    if (end.exit_code != 0) {
      return make_error(ErrorCode::kInternal,
                        "mien " + command + " ended with code " + std::to_string(end.exit_code),
                        preparation.out);
    }
    if (!fs::exists(preparation.out, ignored)) {
      return make_error(ErrorCode::kNotFound, "the command that makes it has not", preparation.out);
    }
  }
  return {};
}

Result<SweepOutcome> do_sweep(
    const std::vector<SweepRun>& runs, const SweepPrograms& programs,
    const std::function<Status(const std::vector<report::SweepResult>&)>& on_change) {
  Runner runner(runs, programs);
  SweepOutcome outcome;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].wanted) continue;
    if (interrupted()) return cancelled();
    const auto worked = runner.work_on(i);
    if (!worked.ok()) {
      if (worked.error().code == ErrorCode::kCancelled) return worked.error();
      say(runs[i].title() + " failed: " + worked.error().to_string());
      outcome.failures.push_back({runs[i].title(), worked.error().to_string()});
      continue;
    }
    if (*worked) MIEN_TRY(on_change(runner.results()));
  }
  outcome.results = runner.results();
  MIEN_TRY(on_change(outcome.results));
  return outcome;
}

}  // namespace mien::cli
