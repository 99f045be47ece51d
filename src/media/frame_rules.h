// The papers' own choice of frames by index: S2D datasets/kinetics.py VideoClsDatasetFrame (the
// same in MAE-DFER), for training and for evaluating with their protocol.
#pragma once

#include <cstdint>
#include <vector>

namespace mien::media {

// Test: every rate-th of `frames` frames, the last one of those repeated up to `clip_len`. frames,
// clip_len and rate >= 1 (smaller values give an empty list).
std::vector<std::int64_t> test_loaded_indices(std::int64_t frames, int clip_len, int rate);

// Test: the view `segment` of `segments` (2 in the papers: the first and the last clip_len of the
// loaded frames): loaded[start .. start + clip_len) with start = int(segment * max(n - clip_len, 0)
// / (segments - 1)).
std::vector<std::int64_t> test_segment_indices(const std::vector<std::int64_t>& loaded,
                                               int clip_len, int segment, int segments);

// The half-open range [first, last) from which training draws the end of its clip; empty (first ==
// last) when the video is not longer than clip_len * rate, and no draw is needed.
struct EndRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};
EndRange train_end_range(std::int64_t frames, int clip_len, int rate);

// Training and validation: clip_len indices for the drawn end (ignored when no draw is needed).
std::vector<std::int64_t> train_indices(std::int64_t frames, int clip_len, int rate,
                                        std::int64_t drawn_end = 0);

}  // namespace mien::media
