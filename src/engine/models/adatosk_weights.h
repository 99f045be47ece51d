// The weights of AdaTosk as the engine holds them (core/adatosk_spec.h has names and formulas).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/model_config.h"
#include "engine/models/head.h"
#include "engine/models/soft_mask.h"
#include "engine/models/tubelet_embedding.h"
#include "engine/models/videomae_weights.h"
#include "engine/models/vit_stack.h"

namespace mien::engine {

// Immutable, shared by sessions.
struct AdaToskWeights {
  std::shared_ptr<const Context> context;
  core::ModelConfig config;
  std::optional<ConvChainWeights> stem;
  PatchProjection patch_proj;         // over cubes, or over the stem's map (`values`)
  std::vector<float> positions;       // [tokens, D], computed
  std::vector<float> slot_positions;  // [S, D], computed; empty unless slotwise
  std::vector<VitBlockWeights> blocks;
  std::optional<SoftMaskWeights> mask;  // absent without both factors: every token counts alike
  NormWeights fc_norm;
  Head head;

  // `tensors` were checked against the config's table. Errors: kLimit, kInternal.
  static Result<std::shared_ptr<const AdaToskWeights>> load(std::shared_ptr<const Context> context,
                                                            const core::ModelConfig& config,
                                                            const core::TensorViewMap& tensors);

  const core::AdaToskConfig& sizes() const { return config.adatosk; }
  std::size_t width() const { return static_cast<std::size_t>(sizes().vit.embed_dim); }
  std::size_t gate() const { return static_cast<std::size_t>(sizes().gate); }
  std::size_t tokens() const { return mask_shape().tokens(); }
  std::size_t slot_values() const { return mask_shape().places() * width(); }  // of its tokens
  MaskShape mask_shape() const;
  TubeletSizes clip_sizes() const { return TubeletSizes::of(sizes().vit); }
  VitSizes block_sizes() const { return videomae_block_sizes(sizes().vit); }
  // The blocks before the gate over the tokens of `slots` slots: one sequence, or one per slot.
  VitStackShape gate_shape(std::size_t slots) const;

  // Multiply-accumulates of a clip's stem and blocks at the model's own budget: nearly all of the
  // work.
  double macs_per_clip() const;

  // See check_clip_frames().
  Status check_frames(std::size_t count) const { return check_clip_frames(sizes().vit, count); }

  // How many tokens go on past the gate; 0 stands for the model's own budget. Error
  // kInvalidArgument (context "budget") unless the budget is 0 or in (0, 1].
  Result<std::size_t> kept_tokens(double budget) const;
};

}  // namespace mien::engine
