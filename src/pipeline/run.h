// One input from beginning to end.
#pragma once

#include <string>

#include "mien/analyzer.hpp"
#include "pipeline/row_flow.h"
#include "pipeline/stages.h"

namespace mien::pipeline {

// Analyses `input`: decoding on a thread, finding faces on another, the rest on the caller's.
// Errors as Analyzer::analyze, and those of the sink. AnalyzerCallbacks::on_event and on_progress
// are called from here; the other callbacks are the sink's.
Result<AnalysisSummary> run_input(const RunContext& context, const std::string& input,
                                  const AnalyzerCallbacks& callbacks, RowSink& sink,
                                  Clocks& clocks);

}  // namespace mien::pipeline
