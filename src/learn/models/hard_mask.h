// The hard masks of masked autoencoders: which tokens of a clip are hidden from the encoder, drawn
// at random (VideoMAE, NOTES.md section 9). Training only.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "core/model_config.h"
#include "mien/result.hpp"

namespace mien::learn {

enum class HardMaskKind {
  kTube,    // the same places in every slot: what is hidden stays hidden
  kRandom,  // any tokens of the clip
  kFrame    // whole slots
};

// "tube", "random", "frame"; kInvalidArgument otherwise.
Result<HardMaskKind> hard_mask_kind(const std::string& name);

// Which tokens of each clip are visible and which hidden: their numbers in the order (slot, row,
// column), ascending. Every clip of a batch has as many of each.
struct HardMask {
  torch::Tensor visible;  // [B, V] i64
  torch::Tensor hidden;   // [B, N - V] i64

  HardMask to(torch::Device device) const { return {visible.to(device), hidden.to(device)}; }
};

// How many tokens of a clip are hidden: int(ratio * n) of the n places (tube), tokens (random) or
// slots (frame), as the official code counts, and never all. `ratio` in [0, 1).
std::int64_t hidden_tokens(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config);

// A mask for each of `clips` clips, on the CPU: a pure function of the arguments.
HardMask draw_hard_mask(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config,
                        std::int64_t clips, std::uint64_t seed);

// Tokens [B, N, D] (or the table [N, D] that all clips share) of these numbers [B, K]: [B, K, D].
torch::Tensor take_tokens(const torch::Tensor& tokens, const torch::Tensor& numbers);

}  // namespace mien::learn
