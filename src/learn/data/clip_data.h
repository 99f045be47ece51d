// The clips that a config names, opened: caches of data sets and composed moments as one store.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "learn/data/clip_store.h"
#include "learn/train_config.h"

namespace mien::learn {

struct ClipDataOptions {
  std::vector<std::string>
      classes;        // the model's: labels are numbered by these; no source has others
  int side = 112;     // of the frames kept
  int clip_len = 16;  // frames of a composed clip
  bool gray = false;
  std::int64_t passes = 1;           // over composed clips: every pass gets clips of its own
  std::vector<float> face_template;  // where stills that are not framed put the five points
};

// Reads lists, says what is missing (one table) and with how many clips the run goes on, and makes
// caches that are absent or out of date. Errors: those of read_clip_list, open_clip_cache and the
// composer; kInvalidArgument (classes differ from the model's); with `video.strict`, kNotFound when
// a clip is missing.
Result<std::unique_ptr<ClipStore>> open_clip_data(
    const std::vector<ClipData>& sources, const VideoConfig& video, const ClipDataOptions& options,
    const std::function<void(const std::string&)>& say);

}  // namespace mien::learn
