// The tensors of VideoMAE's fine-tuned ViT, under the names of the official checkpoints (NOTES.md
// section 9). LayerNorms have kVitNormEps.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor_table.h"

namespace mien::core {

// patch_embed.proj [D, in_chans, tubelet, patch, patch]; per block norm1, attn.q_bias and
// attn.v_bias [D] (when qkv_bias), attn.qkv.weight [3D, D] without bias, attn.proj, norm2, mlp.fc1,
// mlp.fc2; fc_norm; head [num_classes, D]. The position table is computed, not stored.
TensorTable videomae_table(const VideoMaeConfig& config);

// The fixed position table, row-major [tokens, width]: column j of row p is the sine (j even) or
// cosine (j odd) of p / 10000^(2 floor(j / 2) / width); p counts the tokens of the clip through
// (official: get_sinusoid_encoding_table). Computed in double.
std::vector<float> sincos_positions(std::int64_t tokens, int width);

// The config that a fine-tuned state dict of official names implies: sizes from the shapes, heads =
// width / 64. The picture's side and the number of frames are in no tensor: they are left at the
// defaults (16 frames of 160x160). Error when it is not such a state dict.
Result<VideoMaeConfig> infer_videomae_config(const TensorViewMap& tensors);

}  // namespace mien::core
