// Timings of a model and of the machine's peak, taken in turns.
#pragma once

#include <vector>

#include "engine/forward.h"
#include "engine/gemm_peak.h"

namespace mien::engine {

// Milliseconds of each run, in their order.
struct BenchTimes {
  std::vector<double> forward_ms;
  std::vector<double> peak_ms;
};

// Fewest runs, however long each takes.
inline constexpr std::size_t kLeastRuns = 3;

// Runs one forward pass over noise and one product in turns, so that both see the machine in the
// same state, until `seconds` have gone by; two of each before that are not counted. Errors: those
// of the runs; kInternal when an answer of the network is not finite.
Result<BenchTimes> measure(Forward& forward, GemmPeak& peak, double seconds);

}  // namespace mien::engine
