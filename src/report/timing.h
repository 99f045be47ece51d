// What many timings of the same thing come to.
#pragma once

#include <vector>

namespace mien::report {

// Middle, and where a tenth of the values is below and above. All NaN when there was no value.
struct Timing {
  double median = 0.0;
  double p10 = 0.0;
  double p90 = 0.0;
};

// Quantiles between two values are interpolated linearly (type 7 of Hyndman and Fan 1996). `values`
// must be finite.
Timing timing_of(std::vector<double> values);

}  // namespace mien::report
