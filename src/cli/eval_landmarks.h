// mien eval on stills with known points: how near the landmark model comes to them.
#pragma once

#include <string>

#include "cli/eval_stills.h"

namespace mien::cli {

// Runs the evaluation and returns what to print on stdout. Of the arguments, keep_duplicates and
// out mean nothing here. Errors: those of LandmarkLocator::load, read_stills and write_sheet;
// kNotFound when no picture has points that are to be trusted.
Result<std::string> evaluate_landmarks(const StillEvalArguments& arguments);

}  // namespace mien::cli
