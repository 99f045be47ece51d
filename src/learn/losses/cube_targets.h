// What a masked autoencoder is to rebuild (NOTES.md sections 9 and 10; golden
// videomae_pretrain_small).
#pragma once

#include <torch/torch.h>

#include "core/model_config.h"
#include "learn/losses/cube_target.h"

namespace mien::learn {

// The cubes of these numbers [B, H] of clips [B, C, T, S, S], which are normalised by `input`:
// [B, H, tubelet * patch * patch * C] in the order (frame, row, column, channel).
torch::Tensor cube_targets(const torch::Tensor& clips, const torch::Tensor& numbers,
                           const core::VideoMaeConfig& config, const core::InputNorm& input,
                           CubeTarget kind);

// Mean squared difference of rebuilt cubes and their targets, a scalar.
torch::Tensor cube_loss(const torch::Tensor& rebuilt, const torch::Tensor& targets);

}  // namespace mien::learn
