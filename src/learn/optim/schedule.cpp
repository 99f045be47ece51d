#include "learn/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mien::learn {

double CosineSchedule::at(std::int64_t step) const {
  step = std::clamp<std::int64_t>(step, 0, std::max<std::int64_t>(total_steps - 1, 0));
  if (step < warmup_steps) {
    if (warmup_steps == 1) return warmup_start;  // numpy.linspace(a, b, 1) is [a]
    return warmup_start + (base - warmup_start) * static_cast<double>(step) /
                              static_cast<double>(warmup_steps - 1);
  }
  const auto position = static_cast<double>(step - warmup_steps);
  const auto length = static_cast<double>(total_steps - warmup_steps);
  return final + 0.5 * (base - final) * (1.0 + std::cos(std::numbers::pi * position / length));
}

}  // namespace mien::learn
