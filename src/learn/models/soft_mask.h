// AdaTosk's adaptive temporal soft mask, as core/adatosk_spec.h defines it.
#pragma once

#include <torch/torch.h>

#include "core/model_config.h"
#include "learn/models/modules.h"

namespace mien::learn {

// A function of one clip's tokens and of which of them are there, each clip of a batch on its own;
// in f32 whatever the autocast. Parameters norm.*, agnostic.*, semantic.*, buffer slot_mean.
class SoftMaskImpl : public torch::nn::Module {
 public:
  explicit SoftMaskImpl(const core::AdaToskConfig& config);

  struct Output {
    torch::Tensor log_mask;    // [B, N] f32, below 0 and finite; log m of every token
    torch::Tensor agnostic;    // [B, N]: log of the one factor; undefined when it is off
    torch::Tensor semantic;    // and of the other
    torch::Tensor aux_logits;  // [B, classes] f32
  };
  // tokens [B, N, D] that leave the gate, in the order (slot, row, column); there [B, N] bool, or
  // undefined: all are. What `tokens` holds where none is there means nothing, nor does the mask at
  // it; at least one of each clip must be. `aux_head` [D] -> [classes] reads the class belief, and
  // its weights are the class prototypes. In training mode slot_mean then moves towards the slots'
  // means over the batch.
  Output forward(const torch::Tensor& tokens, const torch::Tensor& there, const Linear& aux_head);

 private:
  struct Clip;
  // What one factor learns to do with its measure of a token.
  struct Factor {
    std::shared_ptr<torch::nn::Module> module;
    torch::Tensor scale, offset, repeat;
  };

  Factor add_factor(const char* name, double scale, double repeat);
  Clip look_at(const torch::Tensor& tokens, const torch::Tensor& there);
  void remember(const Clip& clip);
  static torch::Tensor log_factor(const Factor& factor, const torch::Tensor& measured,
                                  const Clip& clip);
  static torch::Tensor change(const Clip& clip);
  static torch::Tensor resemblance(const Clip& clip);
  static torch::Tensor towards(const Clip& clip, const torch::Tensor& prototypes);
  torch::Tensor lasting(const Clip& clip);
  torch::Tensor measure_agnostic(const Clip& clip);
  torch::Tensor measure_semantic(const Clip& clip, const torch::Tensor& aux_logits,
                                 const torch::Tensor& class_weights) const;

  core::AdaToskConfig config_;
  LayerNorm norm_{nullptr};
  torch::Tensor slot_mean_;
  Factor agnostic_, semantic_;
  // r of the specification; null and undefined without hidden units.
  Linear hidden_{nullptr};
  torch::Tensor readout_;
  torch::Tensor sharpness_;  // of the semantic factor
};
TORCH_MODULE(SoftMask);

}  // namespace mien::learn
