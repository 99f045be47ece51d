// The hard masks of masked autoencoders: which tokens of a clip are hidden from the encoder, drawn
// at random (VideoMAE, NOTES.md section 9). Training only.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/model_config.h"
#include "learn/models/hard_mask_kind.h"

namespace mien::learn {

// Which tokens of each clip are visible and which hidden: their numbers in the order (slot, row,
// column), ascending. Every clip of a batch has as many of each.
struct HardMask {
  torch::Tensor visible;  // [B, V] i64
  torch::Tensor hidden;   // [B, N - V] i64

  HardMask to(torch::Device device) const { return {visible.to(device), hidden.to(device)}; }
};

// A mask for each of `clips` clips, on the CPU: a pure function of the arguments.
HardMask draw_hard_mask(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config,
                        std::int64_t clips, std::uint64_t seed);

// Tokens [B, N, D] (or the table [N, D] that all clips share) of these numbers [B, K]: [B, K, D].
torch::Tensor take_tokens(const torch::Tensor& tokens, const torch::Tensor& numbers);

}  // namespace mien::learn
