// The weights of S2D as the engine holds them (NOTES.md section 1; names as in the checkpoints).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/model_config.h"
#include "core/s2d_spec.h"
#include "engine/layers/conv_chain.h"
#include "engine/models/head.h"
#include "engine/models/vit_block.h"

namespace mien::engine {

// The temporal modelling adapter of a prompt block.
struct TmaWeights {
  SharedLinear t_fc1, t_qkv, t_proj, t_fc2, s_fc1, s_fc2;
  NormWeights norm;
};

struct PromptWeights {
  SharedLinear conv0_0, conv0_1, conv1x1;
  float smooth = 0.0F;
  std::optional<TmaWeights> tma;  // video models
};

// Immutable, shared by sessions.
struct S2DWeights {
  std::shared_ptr<const Context> context;
  core::ModelConfig config;
  std::vector<float> cls_token;           // [D]
  std::vector<float> pos_embed;           // [1 + N, D]
  std::vector<float> temporal_embedding;  // [T, D]; empty for image models
  std::optional<ConvChainWeights> stem;
  SharedLinear patch_proj;  // over (row, column, channel) of a patch, or over the stem's channels
  SharedLinear prompt_proj;
  std::vector<PromptWeights> prompts;
  std::vector<NormWeights> prompt_norms;
  std::vector<VitBlockWeights> blocks;
  NormWeights ln_post;
  Head head;
  std::optional<ConvChainWeights> landmark;

  // `tensors` were checked against the config's table. Errors: kUnsupported (a landmark trunk that
  // does not see three channels), kLimit, kInternal.
  static Result<std::shared_ptr<const S2DWeights>> load(std::shared_ptr<const Context> context,
                                                        const core::ModelConfig& config,
                                                        const core::TensorViewMap& tensors);

  // A video model without what works over time: the image model that it grew from, if it
  // keeps_image_model. Matrices and convolutions are shared with this one.
  std::shared_ptr<const S2DWeights> image_model() const;

  const core::S2DConfig& sizes() const { return config.s2d; }
  std::size_t width() const { return static_cast<std::size_t>(sizes().embed_dim); }
  std::size_t patches() const { return static_cast<std::size_t>(sizes().num_patches()); }
  std::size_t tokens() const { return patches() + 1; }
  std::size_t classes() const { return static_cast<std::size_t>(sizes().num_classes); }
  std::size_t side() const { return static_cast<std::size_t>(sizes().img_size); }
  std::size_t channels() const { return static_cast<std::size_t>(sizes().in_chans); }
  VitSizes block_sizes() const {
    return {width(), static_cast<std::size_t>(sizes().num_heads),
            static_cast<std::size_t>(sizes().mlp_dim())};
  }

  // Multiply-accumulates of a frame in the blocks' linear layers: most of the work.
  double macs_per_frame() const {
    const auto d = static_cast<double>(width());
    return static_cast<double>(sizes().depth) * static_cast<double>(tokens()) *
           (4.0 * d * d + 2.0 * d * static_cast<double>(sizes().mlp_dim()));
  }
};

}  // namespace mien::engine
