// How many frames go through the layers at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mien::engine {

// Rows that fill oneDNN's kernels while their intermediate results still fit in a core's cache.
inline constexpr std::size_t kGoodRows = 512;

// Frames of one pass when frames are independent: a power of two, so that few plans serve any
// count.
inline std::size_t frames_per_pass(std::size_t rows_per_frame) {
  std::size_t frames = 1;
  while (frames < 16 && frames * 2 * rows_per_frame <= kGoodRows) frames *= 2;
  return frames;
}

// The largest power of two within `left` and `most` (which is one).
inline std::size_t next_pass(std::size_t left, std::size_t most) {
  std::size_t frames = most;
  while (frames > left) frames /= 2;
  return frames;
}

// Whether a pass of this many multiply-accumulates is worth several threads. Each layer then ends
// with all of them waiting for the last: on a busy machine that costs far more than it gains for
// small passes (measured with two threads and three other busy processes: 36 ms became 2.5 s).
inline bool worth_sharing(double macs) {
  return macs > 2e9;
}

// The largest divisor of `frames` of at most `most`: a pass is cut in equal parts.
inline std::size_t largest_divisor(std::size_t frames, std::size_t most) {
  std::size_t part = std::max<std::size_t>(1, std::min(frames, most));
  while (frames % part != 0) --part;
  return part;
}

}  // namespace mien::engine
