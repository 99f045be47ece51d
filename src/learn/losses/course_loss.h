// How well a soft mask follows the true course of a clip's expression.
#pragma once

#include <torch/torch.h>

#include "core/model_config.h"

namespace mien::learn {

// 1 - r, the mean over the clips that count, a scalar; 0 when none does. r is Pearson's
// correlation, over the slots of a clip, of the mean of its mask and the mean of its course.
//   mask    [B, slots * places], of every token, in 0..1
//   course  [B, T], the expression's strength in each frame; a row with a NaN is unknown
// A clip counts when its course is known and not the same in all slots.
torch::Tensor course_loss(const torch::Tensor& mask, const torch::Tensor& course,
                          const core::VideoMaeConfig& sizes);

}  // namespace mien::learn
