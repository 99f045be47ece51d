#include "engine/measure.h"

#include <chrono>
#include <cmath>

#include "core/rng.h"

namespace mien::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 2;

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<std::uint8_t> noise(std::size_t count) {
  core::Rng rng(1);
  std::vector<std::uint8_t> pixels(count);
  for (std::uint8_t& v : pixels) v = static_cast<std::uint8_t>(rng.below(256));
  return pixels;
}

}  // namespace

Result<BenchTimes> measure(Forward& forward, GemmPeak& peak, double seconds) {
  const std::vector<std::uint8_t> faces = noise(forward.pixels());
  std::vector<float> answers(forward.answers());
  for (int i = 0; i < kWarmUpRuns; ++i) {
    MIEN_TRY(forward.run(faces, answers));
    MIEN_TRY(peak.run());
  }
  for (const float v : answers) {
    if (!std::isfinite(v)) {
      return make_error(ErrorCode::kInternal, "the network's answer is not a number");
    }
  }
  BenchTimes times;
  const Clock::time_point begin = Clock::now();
  while (times.forward_ms.size() < kLeastRuns || since(begin) < 1e3 * seconds) {
    Clock::time_point start = Clock::now();
    MIEN_TRY(forward.run(faces, answers));
    times.forward_ms.push_back(since(start));
    start = Clock::now();
    MIEN_TRY(peak.run());
    times.peak_ms.push_back(since(start));
  }
  return times;
}

}  // namespace mien::engine
