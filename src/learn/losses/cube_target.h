// The kinds of what a masked autoencoder rebuilds (cube_targets.h), for configs, which know nothing
// of LibTorch.
#pragma once

#include <string>

#include "mien/result.hpp"

namespace mien::learn {

enum class CubeTarget {
  kNormPix,   // pixels less their mean, over their deviation, per cube and channel (VideoMAE)
  kRaw,       // pixels in 0..1
  kFrameDiff  // as kNormPix; then each later frame less the one before (MAE-DFER)
};

// "norm_pix", "raw", "frame_diff"; kInvalidArgument otherwise.
Result<CubeTarget> cube_target(const std::string& name);

}  // namespace mien::learn
