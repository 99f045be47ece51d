#include "cli/sweep_runner.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "cli/interrupt.h"
#include "core/files.h"
#include "learn/sweep_record.h"
#include "report/training_history.h"

namespace mien::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxRecord = std::uint64_t{64} << 20;

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

// Does one run after the other, or several at once on CPUs of their own. All that its threads share
// is under one lock but the files, of which no two of them work on the same.
class Runner {
 public:
  Runner(const std::vector<SweepRun>& runs, const SweepPrograms& programs,
         const OnSweepChange& on_change)
      : runs_(runs), programs_(programs), on_change_(on_change) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].wanted) waiting_.push_back(i);
    }
    total_ = waiting_.size();
  }

  // One thread for each of the sets of CPUs (empty: all). Error: the first that stops a sweep.
  Status work(const std::vector<std::vector<int>>& teams);

  std::vector<SweepFailure> failures() const;  // in the order of the runs
  std::vector<report::SweepResult> results() const;

 private:
  void work_with(const std::vector<int>& cpus);
  std::optional<std::size_t> take();
  void finish(std::size_t index, const Result<bool>& worked);
  Result<bool> work_on(std::size_t index, const std::vector<int>& cpus);
  void announce(std::size_t index, const std::string& what);
  Status train(std::size_t index, const std::vector<int>& cpus);
  Status measure(std::size_t index, const SweepMeasurement& measurement,
                 const std::vector<int>& cpus);

  const std::vector<SweepRun>& runs_;
  const SweepPrograms& programs_;
  const OnSweepChange& on_change_;
  std::size_t total_ = 0;  // runs that are wanted
  std::size_t teams_ = 1;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::deque<std::size_t> waiting_;            // runs, in their order
  std::set<std::string> busy_;                 // models that are worked on
  std::map<std::size_t, std::size_t> number_;  // from 1, of the runs that were begun
  std::map<std::size_t, std::string> failed_;
  Status stopped_;  // what ends the sweep
  Pace trainings_;
  Pace measurements_;
};

Status Runner::work(const std::vector<std::vector<int>>& teams) {
  teams_ = teams.size();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < teams.size(); ++i) {
      threads.emplace_back([this, &teams, i] { work_with(teams[i]); });
    }
    work_with(teams.front());
  }
  return stopped_;
}

void Runner::work_with(const std::vector<int>& cpus) {
  while (const std::optional<std::size_t> index = take()) finish(*index, work_on(*index, cpus));
}

// The next run whose model nobody works on: rows may share a training. Nothing when all are taken.
std::optional<std::size_t> Runner::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (interrupted() && stopped_.ok()) stopped_ = sweep_cancelled();
    if (!stopped_.ok() || waiting_.empty()) return std::nullopt;
    const auto next = std::find_if(waiting_.begin(), waiting_.end(), [this](std::size_t i) {
      return !busy_.contains(runs_[i].model);
    });
    if (next != waiting_.end()) {
      const std::size_t index = *next;
      waiting_.erase(next);
      busy_.insert(runs_[index].model);
      number_.emplace(index, number_.size() + 1);
      return index;
    }
    freed_.wait(lock);
  }
}

void Runner::finish(std::size_t index, const Result<bool>& worked) {
  const std::lock_guard lock(mutex_);
  busy_.erase(runs_[index].model);
  if (worked.ok()) {
    if (*worked && stopped_.ok()) stopped_ = on_change_(results());
  } else if (worked.error().code == ErrorCode::kCancelled) {
    if (stopped_.ok()) stopped_ = worked.error();
  } else {
    say_sweep(runs_[index].title() + " failed: " + worked.error().to_string());
    failed_.emplace(index, worked.error().to_string());
  }
  freed_.notify_all();
}

void Runner::announce(std::size_t index, const std::string& what) {
  const std::lock_guard lock(mutex_);
  std::set<std::string> trainings;
  std::size_t measurements = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const SweepRun& run = runs_[i];
    if (!run.wanted || failed_.contains(i) || !run.problem.empty()) continue;
    if (!is_trained(run)) trainings.insert(run.model);
    measurements += static_cast<std::size_t>(
        std::count_if(run.measurements.begin(), run.measurements.end(),
                      [](const SweepMeasurement& m) { return !is_measured(m); }));
  }
  std::string line = "run " + std::to_string(number_.at(index)) + " of " + std::to_string(total_) +
                     ": " + runs_[index].title() + ": " + what;
  if (trainings_.can_tell(trainings.size()) && measurements_.can_tell(measurements)) {
    const double left =
        trainings_.remaining(trainings.size()) + measurements_.remaining(measurements);
    line += "; about " + duration(left / static_cast<double>(teams_)) + " left of all";
  }
  say_sweep(line);
}

Status Runner::train(std::size_t index, const std::vector<int>& cpus) {
  const SweepRun& run = runs_[index];
  announce(index, "training, see " + run.log);
  MIEN_ASSIGN(const double seconds,
              run_trainer(programs_, run.arguments, {.out = {}, .log = run.log, .cpus = cpus}));
  if (!is_trained(run)) {
    return make_error(ErrorCode::kInternal, "the training left no model", run.model);
  }
  const std::lock_guard lock(mutex_);
  trainings_.add(seconds);
  return {};
}

Status Runner::measure(std::size_t index, const SweepMeasurement& measurement,
                       const std::vector<int>& cpus) {
  announce(index, measurement.evaluation);
  MIEN_TRY(make_folder_of(measurement.record));
  const std::string printed = measurement.record + ".part";
  const auto seconds = run_trainer(programs_, measurement.arguments,
                                   {.out = printed, .log = runs_[index].log, .cpus = cpus});
  const auto json = core::read_text_file(printed, kMaxRecord);
  std::error_code ignored;
  fs::remove(printed, ignored);
  if (!seconds.ok()) return seconds.error().within(measurement.evaluation);
  if (!json.ok()) return json.error();
  if (const Status status =
          learn::write_sweep_record(measurement.record, measurement.key, *seconds, *json);
      !status.ok()) {
    return status.error().within(measurement.evaluation);
  }
  const std::lock_guard lock(mutex_);
  measurements_.add(*seconds);
  return {};
}

// Trains a run and measures it; whether there was anything to do.
Result<bool> Runner::work_on(std::size_t index, const std::vector<int>& cpus) {
  const SweepRun& run = runs_[index];
  if (!run.problem.empty()) return make_error(ErrorCode::kInvalidArgument, run.problem);
  const bool finished = std::all_of(run.measurements.begin(), run.measurements.end(), is_measured);
  if (finished) return false;
  if (!is_trained(run)) MIEN_TRY(train(index, cpus));
  // One evaluation that fails does not keep the next from being made.
  Status first;
  for (const SweepMeasurement& measurement : run.measurements) {
    if (is_measured(measurement)) continue;
    const Status status = measure(index, measurement, cpus);
    if (status.ok()) continue;
    if (status.error().code == ErrorCode::kCancelled) return status.error();
    if (first.ok()) first = status;
  }
  if (!first.ok()) return first.error();
  return true;
}

std::vector<SweepFailure> Runner::failures() const {
  std::vector<SweepFailure> out;
  for (const auto& [index, reason] : failed_) out.push_back({runs_[index].title(), reason});
  return out;
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

std::vector<std::vector<int>> share_cpus(const std::vector<int>& cpus, int jobs) {
  std::vector<std::vector<int>> teams(static_cast<std::size_t>(std::max(jobs, 1)));
  if (teams.size() == 1 || cpus.empty()) return teams;
  const std::size_t most = std::max(cpus.size(), teams.size());
  for (std::size_t i = 0; i < most; ++i) {
    teams[i * teams.size() / most].push_back(cpus[i * cpus.size() / most]);
  }
  return teams;
}

Result<SweepOutcome> do_sweep(const std::vector<SweepRun>& runs, const SweepPrograms& programs,
                              int jobs, const OnSweepChange& on_change) {
  Runner runner(runs, programs, on_change);
  MIEN_TRY(runner.work(share_cpus(usable_cpus(), jobs)));
  SweepOutcome outcome{.results = runner.results(), .failures = runner.failures()};
  MIEN_TRY(on_change(outcome.results));
  return outcome;
}

}  // namespace mien::cli
