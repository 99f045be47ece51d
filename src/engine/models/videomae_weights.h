// The weights of VideoMAE's fine-tuned ViT as the engine holds them (NOTES.md section 9; official:
// modeling_finetune.py; names as in the checkpoints).
#pragma once

#include <memory>
#include <vector>

#include "core/model_config.h"
#include "core/videomae_spec.h"
#include "engine/models/head.h"
#include "engine/models/tubelet_embedding.h"
#include "engine/models/vit_block.h"

namespace mien::engine {

// What every ViT under VideoMAE's names has. `source` sees "blocks.<i>.*".
std::vector<VitBlockWeights> read_videomae_blocks(const std::shared_ptr<const Context>& context,
                                                  const TensorSource& source,
                                                  const core::VideoMaeConfig& config);
VitSizes videomae_block_sizes(const core::VideoMaeConfig& config);

// Multiply-accumulates of one block over `tokens` tokens that attend to each other.
double videomae_block_macs(const core::VideoMaeConfig& config, std::size_t tokens);

// Error kInvalidArgument unless a clip of `count` frames is what the model reads.
Status check_clip_frames(const core::VideoMaeConfig& config, std::size_t count);

// Immutable, shared by sessions.
struct VideoMaeWeights {
  std::shared_ptr<const Context> context;
  core::ModelConfig config;
  PatchProjection patch_proj;
  std::vector<float> positions;  // [tokens, D], computed
  std::vector<VitBlockWeights> blocks;
  NormWeights fc_norm;
  Head head;

  // `tensors` were checked against the config's table. Errors: kLimit, kInternal.
  static Result<std::shared_ptr<const VideoMaeWeights>> load(std::shared_ptr<const Context> context,
                                                             const core::ModelConfig& config,
                                                             const core::TensorViewMap& tensors);

  const core::VideoMaeConfig& sizes() const { return config.videomae; }
  std::size_t width() const { return static_cast<std::size_t>(sizes().embed_dim); }
  std::size_t tokens() const { return static_cast<std::size_t>(sizes().tokens()); }
  std::size_t frames() const { return static_cast<std::size_t>(sizes().num_frames); }
  TubeletSizes clip_sizes() const { return TubeletSizes::of(sizes()); }
  VitSizes block_sizes() const { return videomae_block_sizes(sizes()); }

  // Multiply-accumulates of a clip's blocks: nearly all of the work.
  double macs_per_clip() const {
    return static_cast<double>(sizes().depth) * videomae_block_macs(sizes(), tokens());
  }

  // See check_clip_frames().
  Status check_frames(std::size_t count) const { return check_clip_frames(sizes(), count); }
};

}  // namespace mien::engine
