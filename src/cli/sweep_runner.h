// Does the runs of a sweep one after the other, each as a process of its own: what kills one leaves
// the others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/sweep_plan.h"
#include "report/sweep_table.h"

namespace mien::cli {

// The two programs, as paths or names on PATH.
struct SweepPrograms {
  std::string trainer{};  // this one
  std::string other{};    // `mien`, for [[prepare]] commands that are not this one's
};

// What remains to be done of a run: looked at anew on every call.
bool is_trained(const SweepRun& run);
bool is_measured(const SweepMeasurement& measurement);

// Runs the preparations whose output is absent. Errors: of the first that fails; kCancelled.
Status prepare_sweep(const learn::SweepConfig& config, const SweepPrograms& programs);

struct SweepFailure {
  std::string run{};  // its title
  std::string reason{};
};

struct SweepOutcome {
  std::vector<report::SweepResult> results{};  // of all runs, in their order
  std::vector<SweepFailure> failures{};
};

// Trains and measures what is wanted and not done yet, and says on stderr which run it is at and
// how long the rest will take, by the mean of those done by this call. `on_change` gets all results
// so far after each run with something new, and once in the end. Errors: kCancelled when
// interrupted() (what is done stays done), and those of `on_change`. A run that fails is no error
// but a failure.
Result<SweepOutcome> do_sweep(
    const std::vector<SweepRun>& runs, const SweepPrograms& programs,
    const std::function<Status(const std::vector<report::SweepResult>&)>& on_change);

}  // namespace mien::cli
