// The programs that a sweep is done by, and what they said.
#pragma once

#include <string>
#include <vector>

#include "cli/child_process.h"
#include "learn/sweep_config.h"

namespace mien::cli {

// The two programs, as paths or names on PATH.
struct SweepPrograms {
  std::string trainer{};  // this one
  std::string other{};    // `mien`, for [[prepare]] commands that are not this one's
};

// What a sweep that was interrupted ends with (kCancelled).
Error sweep_cancelled();

// One line about the sweep, on stderr.
void say_sweep(const std::string& line);

// Makes the folder of a file. Error kIo.
Status make_folder_of(const std::string& path);

// Runs mien-train and returns the seconds it took. Errors: kCancelled; kInternal with what it said
// last.
Result<double> run_trainer(const SweepPrograms& programs, const std::vector<std::string>& arguments,
                           const ChildSetup& setup);

// Runs the preparations whose output is absent. Errors: of the first that fails; kCancelled.
Status prepare_sweep(const learn::SweepConfig& config, const SweepPrograms& programs);

}  // namespace mien::cli
