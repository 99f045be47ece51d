// Whether a video file is shorter than it says itself. Inside this folder only.
#pragma once

#include <string>

namespace mien::media {

// True when the file is an AVI (RIFF) or a Matroska / WebM whose outermost element claims more
// bytes than the file has: it was cut off. False for every other kind of file, for sizes left open
// (live recordings), and when the file cannot be read.
bool container_cut_off(const std::string& path);

}  // namespace mien::media
