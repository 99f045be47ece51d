// Composed moments as clips to train on: every pass over them sees new ones.
#pragma once

#include <memory>

#include "learn/data/clip_data.h"

namespace mien::learn {

// data.clips * options.passes clips of options.clip_len grey frames, composed as they are asked for
// (media/moment_composer.h); nothing is stored. Errors: those of MomentComposer::open,
// kInvalidArgument (a count < 1, classes that are not the model's).
Result<std::unique_ptr<ClipStore>> open_moments(const ClipData& data,
                                                const ClipDataOptions& options);

}  // namespace mien::learn
