// How good a model is on clips while it trains.
#pragma once

#include "learn/data/clip_loader.h"
#include "learn/job.h"
#include "learn/models/clip_net.h"

namespace mien::learn {

// One view of every labelled clip, by the validation rule of `options` (clip_loader.h),
// unaugmented: war (the score), uar, macro_f1, cross_entropy, n, and mask_mean of a net with a soft
// mask. Of a net that does not classify, every clip counts: score (its own loss, negated), loss, n.
// The module is in eval mode. Errors as plain_clip_batch.
Result<Figures> validate_clips(ClipNet& net, const ClipStore& store,
                               const ClipLoaderOptions& options, torch::Device device);

}  // namespace mien::learn
