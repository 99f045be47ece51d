// The tensors of S2D, under the names of the official checkpoints (NOTES.md section 1).
#pragma once

#include "core/tensor_table.h"

namespace mien::core {

// LayerNorm epsilons: 1e-6 everywhere in the ViT, PyTorch's default inside TMA.
inline constexpr float kVitNormEps = 1e-6F;
inline constexpr float kTmaNormEps = 1e-5F;

// Prompt blocks: one per transformer block when deep, else one.
inline int prompt_count(const S2DConfig& config) {
  return config.deep_prompt ? config.depth : 1;
}

TensorTable s2d_table(const S2DConfig& config);

// Prefix of the landmark trunk's tensors in a model file that carries it.
inline constexpr const char* kLandmarkPrefix = "landmark.";

// Whether a tensor is of what works over time: the adapters (TMA) and the temporal embedding. A
// video model without them is an image model.
bool works_over_time(std::string_view name);

// The config that a state dict of official names implies: sizes from the shapes, `temporal` from
// the presence of temporal_embedding, heads = width / 64. Error when it is not an S2D state dict.
Result<S2DConfig> infer_s2d_config(const TensorViewMap& tensors);

}  // namespace mien::core
