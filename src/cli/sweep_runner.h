// Does the runs of a sweep, one after the other or some at a time, each as a process of its own:
// what kills one leaves the others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/sweep_plan.h"
#include "cli/sweep_programs.h"
#include "report/sweep_table.h"

namespace mien::cli {

// What remains to be done of a run: looked at anew on every call.
bool is_trained(const SweepRun& run);
bool is_measured(const SweepMeasurement& measurement);

struct SweepFailure {
  std::string run{};  // its title
  std::string reason{};
};

struct SweepOutcome {
  std::vector<report::SweepResult> results{};  // of all runs, in their order
  std::vector<SweepFailure> failures{};
};

// Gets all results so far.
using OnSweepChange = std::function<Status(const std::vector<report::SweepResult>&)>;

// The CPUs in `jobs` shares of (nearly) one size; where there are more jobs than CPUs some share
// one. One job, or no CPU known: empty shares, which mean all.
std::vector<std::vector<int>> share_cpus(const std::vector<int>& cpus, int jobs);

// Trains and measures what is wanted and not done yet, `jobs` runs at a time, each with its share
// of the CPUs, and says on stderr which run it is at and how long the rest will take, by the mean
// of those done by this call. `on_change` is called after each run with something new and once in
// the end, never twice at a time. Errors: kCancelled when interrupted() (what is done stays done),
// and those of `on_change`. A run that fails is no error but a failure.
Result<SweepOutcome> do_sweep(const std::vector<SweepRun>& runs, const SweepPrograms& programs,
                              int jobs, const OnSweepChange& on_change);

}  // namespace mien::cli
