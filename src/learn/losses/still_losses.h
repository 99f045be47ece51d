// Losses of the still-image stage.
#pragma once

#include <torch/torch.h>

namespace mien::learn {

// Cross-entropy against soft targets (FERPlus votes as a distribution; Barsoum et al. 2016, eq. 3),
// weighted mean over the batch. logits, target [B, C]; weight [B]. With `smoothing` e the target
// becomes (1 - e) * target + e / C.
torch::Tensor soft_cross_entropy(const torch::Tensor& logits, const torch::Tensor& target,
                                 const torch::Tensor& weight, double smoothing = 0.0);

// Wing loss (Feng et al. 2018, arXiv 1711.06753) of points [B, 2P] in fractions of the crop,
// weighted mean: w ln(1 + |d| / e) below w, linear beyond, with w = 0.1 and e = 0.02 of the crop
// side: small errors keep pulling, large ones (wrong labels) do not dominate.
torch::Tensor wing_loss(const torch::Tensor& points, const torch::Tensor& truth,
                        const torch::Tensor& weight);

}  // namespace mien::learn
