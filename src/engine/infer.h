// Raw tensors in, named tensors out: what `mien infer` and the parity tests run.
#pragma once

#include "core/model_file.h"
#include "engine/options.h"

namespace mien::engine {

struct InferOptions {
  EngineOptions engine{};
  // Every activation of reference/golden/*/outputs.safetensors too.
  bool activations = false;
  // AdaTosk: share of the tokens that go past its mask, (0, 1]; 0: the model's own.
  double budget = 0.0;
};

struct InferResult {
  core::TensorMap outputs;
  Precision precision = Precision::kF32;  // what kAuto became
  double forward_ms = 0.0;                // wall time of the passes, loading left out
};

// Runs a model whose `weights` fit its config (kBadFormat otherwise). Inputs by name, others are
// ignored:
//   S2D            x [B, C, T, H, W] (normalised, floating) or video_u8 [T, H, W, 3] or
//                  [B, T, H, W, 3], or, for image models, image_u8 [N, H, W, 3] (N stills);
//                  a [B * T, in_chans_l, grid, grid] (floating), which may be left out when the
//                  model has its own landmark trunk.
//   VideoMAE,      x [B, C, T, H, W] or video_u8 [T, H, W, 3] or [B, T, H, W, 3].
//   AdaTosk
//   MobileFaceNet  x [N, 3, 112, 112] or image_u8 [N, 112, 112, 3].
// x wins over pixels. Outputs: logits [B, C] and feature [B, D], what the head classifies; landmark
// [N, 136] and feat [N, 128, 14, 14]. With activations, the golden names; *.f0 and *.img0 are of
// the first frame or picture; logits_f64 and landmark_f64 are the results widened, not computed in
// double. AdaTosk, which has no golden numbers, gives patch_embed, after_pos_embed, block<i>.*,
// gate.out, mask.agnostic, mask.semantic and mask (m, [B, S, g, g]), kept (1 where a token went
// past the mask, else 0, [B, S, g, g]), aux_logits [B, C], mean_pooled, fc_norm; behind the gate
// block<i> has the kept tokens alone. Errors: kInvalidArgument (an input that is missing or of
// another shape or type; its name is the context), kUnsupported (also a budget for another model),
// kLimit, kInternal.
Result<InferResult> infer_tensors(const core::ModelConfig& config,
                                  const core::TensorViewMap& weights,
                                  const core::TensorViewMap& inputs, const InferOptions& options);

// The same with the weights of an open model file.
inline Result<InferResult> infer(const core::ModelFile& model, const core::TensorViewMap& inputs,
                                 const InferOptions& options) {
  return infer_tensors(model.config, model.tensors(), inputs, options);
}

}  // namespace mien::engine
