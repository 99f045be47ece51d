// Learning-rate schedule of all four repositories (NOTES.md section 7; utils/__init__.py:
// cosine_scheduler).
#pragma once

#include <cstdint>
#include <vector>

namespace mien::learn {

struct CosineSchedule {
  double base = 1e-3;
  double final = 0.0;
  std::int64_t total_steps = 0;
  std::int64_t warmup_steps = 0;
  double warmup_start = 0.0;  // the official code never passes another value

  // The value of optimizer step `step` (0-based). Warm-up is a closed linspace, so its last step
  // and the first cosine step both equal `base`; `final` itself is never reached. Past the end the
  // last value stays.
  double at(std::int64_t step) const;
};

}  // namespace mien::learn
