// A clip as one picture.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/data/clip_lists.h"

namespace mien::cli {

// Up to eight frames of the clip, evenly spread, side by side, as a JPEG; empty when the clip
// cannot be read.
std::vector<std::uint8_t> clip_strip(const learn::ClipEntry& clip);

}  // namespace mien::cli
