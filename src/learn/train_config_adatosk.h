// The part of a training config that AdaTosk alone has.
#pragma once

#include <toml++/toml.h>

#include "learn/train_config.h"

namespace mien::learn {

// Reads [adatosk] into config.adatosk (branches, hard_mask, hard_ratio, blank_hidden, target,
// rec_weight, cls_weight, aux_weight, budget_weight, course_weight, mask_lr_scale, train_budget,
// train_budget_low) and config.model.adatosk (budget, agnostic, semantic, agnostic_hidden,
// slotwise, depth, gate, decoder_dim, decoder_depth, decoder_heads). After the rest of the config.
// Error kInvalidArgument naming the key: unknown, out of range, at odds with another, or a section
// for a model that is no AdaTosk; and those of core::validate.
Status read_adatosk(const toml::table& root, TrainConfig& config);

}  // namespace mien::learn
