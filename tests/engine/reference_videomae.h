// VideoMAE's fine-tuned ViT written a second time: in double, slowly, straight from NOTES.md
// section 9 and with nothing of the engine in it.
#pragma once

#include <vector>

#include "core/model_config.h"
#include "core/tensor.h"
#include "reference_math.h"
#include "reference_model.h"

namespace mien::test {

// The tokens of one clip of normalised pictures, with their positions.
Rows reference_videomae_tokens(const core::VideoMaeConfig& config, const core::TensorMap& tensors,
                               const std::vector<Planes>& pictures);

// Adds the fixed position table.
void reference_positions(Rows& tokens);

// Block `index` on the tokens of one clip, in place. `key_bias`: see attention().
void reference_videomae_block(const core::TensorMap& tensors, int index, int heads, Rows& x,
                              const Row& key_bias = {});

// Logits of one clip of normalised pictures.
std::vector<double> reference_videomae_logits(const core::VideoMaeConfig& config,
                                              const core::TensorMap& tensors,
                                              const std::vector<Planes>& pictures);

}  // namespace mien::test
