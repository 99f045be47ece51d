// What a masked autoencoder is to rebuild (NOTES.md sections 9 and 10; golden
// videomae_pretrain_small).
#pragma once

#include <torch/torch.h>

#include <string>

#include "core/model_config.h"
#include "mien/result.hpp"

namespace mien::learn {

enum class CubeTarget {
  kNormPix,   // pixels less their mean, over their deviation, per cube and channel (VideoMAE)
  kRaw,       // pixels in 0..1
  kFrameDiff  // as kNormPix; then each later frame less the one before (MAE-DFER)
};

// "norm_pix", "raw", "frame_diff"; kInvalidArgument otherwise.
Result<CubeTarget> cube_target(const std::string& name);

// The cubes of these numbers [B, H] of clips [B, C, T, S, S], which are normalised by `input`:
// [B, H, tubelet * patch * patch * C] in the order (frame, row, column, channel).
torch::Tensor cube_targets(const torch::Tensor& clips, const torch::Tensor& numbers,
                           const core::VideoMaeConfig& config, const core::InputNorm& input,
                           CubeTarget kind);

// Mean squared difference of rebuilt cubes and their targets, a scalar.
torch::Tensor cube_loss(const torch::Tensor& rebuilt, const torch::Tensor& targets);

}  // namespace mien::learn
