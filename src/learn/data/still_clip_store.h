// Labelled stills as clips in which nothing happens: somebody who wears one expression while the
// camera drifts a little. A video model that learns from moments alone forgets what a photograph
// shows.
#pragma once

#include <memory>

#include "learn/data/clip_data.h"

namespace mien::learn {

// Reads the stills of `data` (format ferplus, faces, rafdb or affectnet) and makes
// data.clips * options.passes clips of options.clip_len grey frames of them; data.clips == 0: every
// usable picture once, as it is, without drift or change of light (for validation). Pictures are
// taken in turn, in an order drawn anew each time all were seen. Votes are kept as soft targets.
// Pictures without a label, and those that lack both a frame of their own and points, are left out;
// `said` gets a line on how many there are.
//   face_template: where the five points belong in the crop, as ModelConfig::face_template.
// Errors: those of read_stills; kNotFound (no usable picture), kInvalidArgument (counts).
Result<std::unique_ptr<ClipStore>> open_stills(const ClipData& data, const ClipDataOptions& options,
                                               std::string& said);

}  // namespace mien::learn
