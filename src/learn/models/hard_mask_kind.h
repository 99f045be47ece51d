// The kinds of hard masks (hard_mask.h), for configs, which know nothing of LibTorch.
#pragma once

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

// How many tokens of a clip are hidden: int(ratio * n) of the n places (tube), tokens (random) or
// slots (frame), as the official code counts, and never all. `ratio` in [0, 1).
std::int64_t hidden_tokens(HardMaskKind kind, double ratio, const core::VideoMaeConfig& config);

}  // namespace mien::learn
