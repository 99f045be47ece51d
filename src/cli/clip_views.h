// What a clip looks like to the protocols: one view per temporal segment. The papers' spatial crops
// are left out: frames are made square first, so they are all the same picture (NOTES.md section
// 4).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "learn/data/clip_faces.h"
#include "learn/data/clip_lists.h"

namespace mien::cli {

struct ViewOptions {
  int segments = 2;  // temporal views
  int rate = 1;      // every rate-th frame
  int length = 16;   // T, frames of a view
  int side = 112;    // S, of the square frames, pixels
};

struct ClipViews {
  std::vector<std::uint8_t> pixels;   // u8 RGB [segments, T, S, S, 3]
  std::vector<std::int64_t> indices;  // of their frames in the clip, [segments, T]
  std::int64_t frames = 0;            // that the clip has
  learn::FrameSquare face;
  std::string problem;  // why there are none
};

// Reads the views of a clip, cut to the face in it when `faces` is not null. What is wrong with the
// clip becomes `problem`; no other errors.
Result<ClipViews> read_views(learn::ClipEntry clip, learn::FaceFinder* faces,
                             const ViewOptions& options);

}  // namespace mien::cli
