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

// The largest divisor of `frames` of at most `most`: a pass is cut in equal parts.
inline std::size_t largest_divisor(std::size_t frames, std::size_t most) {
  std::size_t part = std::max<std::size_t>(1, std::min(frames, most));
  while (frames % part != 0) --part;
  return part;
}

}  // namespace mien::engine
