// How long the stages take.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace mien::pipeline {

// Nanoseconds summed up by whichever threads work on a stage.
class StageClock {
 public:
  void add(std::chrono::steady_clock::duration time) {
    nanoseconds_ += std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  }
  double seconds() const { return 1e-9 * static_cast<double>(nanoseconds_.load()); }

 private:
  std::atomic<std::int64_t> nanoseconds_{0};
};

// One clock per stage of StageTime.
struct Clocks {
  StageClock decode;
  StageClock detect;
  StageClock landmarks;
  StageClock align;
  StageClock recognise;
  StageClock draw;
  StageClock write;
};

// Adds the time of its own life to a clock.
class Stopwatch {
 public:
  explicit Stopwatch(StageClock& clock) : clock_(clock), begin_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { clock_.add(std::chrono::steady_clock::now() - begin_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  StageClock& clock_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace mien::pipeline
