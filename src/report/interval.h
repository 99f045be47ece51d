// How far a figure of a test could be off because the test has only so many clips.
#pragma once

#include <cstdint>
#include <span>

#include "report/metrics.h"

namespace mien::report {

// Both NaN when it could not be computed.
struct Interval {
  double low = 0;
  double high = 0;
};

// Wilson's score interval (1927) of a share, `right` of `n`; the default z gives 95 %. Within 0..1;
// [0, 1] for n = 0. `right` is clamped to 0..n.
Interval wilson_interval(std::int64_t right, std::int64_t n, double z = 1.959963984540054);

struct BootstrapOptions {
  int replicates = 1000;   // at least 1
  std::uint64_t seed = 0;  // the same seed gives the same interval everywhere
  double level = 0.95;
};

struct RateIntervals {
  Interval war{};
  Interval uar{};
  Interval macro_f1{};
};

// Percentile bootstrap over clips (Efron and Tibshirani 1993, chapter 13) of the means of WAR, UAR
// and macro F1 over the folds: clips are drawn with replacement within each fold. One matrix gives
// the intervals of its own figures. Takes time replicates * clips; more than 2^26 clips in a fold,
// or no clip at all, give NaN. What it does not cover: another training run, another choice of
// folds, clips of one person or film that go together.
RateIntervals bootstrap_intervals(std::span<const ConfusionMatrix> folds,
                                  const BootstrapOptions& options = {});

}  // namespace mien::report
