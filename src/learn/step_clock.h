// How fast training goes: over the last steps, and over an epoch.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mien::learn {

class StepClock {
 public:
  // A step took `seconds` for `samples` pictures or clips.
  void add(double seconds, std::int64_t samples) {
    seconds_ += seconds;
    epoch_seconds_ += seconds;
    epoch_samples_ += samples;
    // The mean of the first steps, then a moving one: the first step, which is slow (caches, memory
    // and kernels are made), would otherwise be seen for a hundred.
    const double weight = std::max(kWeight, 1.0 / static_cast<double>(++steps_));
    const auto each = seconds / static_cast<double>(std::max<std::int64_t>(samples, 1));
    recent_ += weight * (each - recent_);
  }
  void begin_epoch() {
    epoch_seconds_ = 0.0;
    epoch_samples_ = 0;
  }

  double seconds() const { return seconds_; }  // of all steps
  // Samples per second: of about the last twenty steps, and of the epoch; 0 before the first step.
  double recent_rate() const { return recent_ > 0.0 ? 1.0 / recent_ : 0.0; }
  double epoch_rate() const {
    return epoch_seconds_ > 0.0 ? static_cast<double>(epoch_samples_) / epoch_seconds_ : 0.0;
  }

 private:
  static constexpr double kWeight = 0.05;
  double seconds_ = 0.0;
  double epoch_seconds_ = 0.0;
  double recent_ = 0.0;  // seconds per sample
  std::int64_t epoch_samples_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace mien::learn
