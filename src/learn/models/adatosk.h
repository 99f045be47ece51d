// AdaTosk in LibTorch (core/adatosk_spec.h): VideoMAE's encoder under the official names, with the
// soft mask at its gate, and for training the decoder that rebuilds what a hard mask hides.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "core/model_config.h"
#include "learn/models/hard_mask.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/modules.h"
#include "learn/models/soft_mask.h"
#include "learn/models/videomae.h"
#include "learn/models/videomae_decoder.h"

namespace mien::learn {

// What changes training and not the function.
struct AdaToskTrainOptions {
  double drop_path = 0.0;     // of the last block; grows linearly from 0 over the depth
  double head_dropout = 0.0;  // before the classifier
  double init_scale = 0.001;  // factor on the fresh classifier: training starts from even odds
  bool checkpoint = false;    // blocks are computed again in the backward pass (recompute.h)
  bool decoder = false;       // with `norm`, encoder_to_decoder, mask_token and decoder.*
  // The stem sees hidden cubes as plain grey (0): its convolutions would otherwise carry them over
  // to the visible tokens, which are to rebuild them.
  bool blank_hidden = true;
};

// One way through the network.
struct AdaToskPass {
  const HardMask* hard = nullptr;  // on the clips' device; null: every token is visible
  bool soft = true;                // false: no soft mask, and nothing is dropped
  double budget = 1.0;             // share of the visible tokens that go on past the gate
  // [B, K] i64: the visible tokens that go on instead of those of the largest mask, by their place
  // in their order, ascending; `budget` then means nothing. The mask still weighs them. Needs
  // `soft`. Undefined: those of the largest mask.
  torch::Tensor keep = {};
  bool reconstruct = false;  // needs `hard`, the decoder and every visible token
};

class AdaToskImpl : public torch::nn::Module {
 public:
  explicit AdaToskImpl(const core::AdaToskConfig& config, const AdaToskTrainOptions& options = {});

  struct Output {
    torch::Tensor logits;      // [B, classes] f32
    torch::Tensor feature;     // [B, D], normed mean by the mask, after dropout
    torch::Tensor aux_logits;  // [B, classes] f32; undefined without a soft mask
    torch::Tensor log_mask;    // [B, V] f32, log m of the visible tokens; undefined without one
    torch::Tensor kept;        // [B, K] i64: which of the visible tokens went on, by their place in
                               // their order, ascending; undefined: all
    torch::Tensor rebuilt;     // hidden cubes as Reconstruction gives them; undefined unless asked
  };
  // x [B, 3, num_frames, img_size, img_size] normalised (of grey models the first plane is read);
  // other sizes throw c10::Error. Without masks in the config and with a budget below 1 the first
  // tokens go on. Records pos_embed, patch_embed, after_pos_embed, block<i>.{attn,mlp,out},
  // log_mask, aux_logits, mean_pooled, fc_norm, and what Reconstruction does; with taps no block is
  // computed again.
  Output forward(const torch::Tensor& x, const AdaToskPass& pass = {}, Taps* taps = nullptr);

  // The stem (and its BatchNorm statistics) stays as it is, and costs no backward pass. Without a
  // stem there is nothing to do.
  void freeze_stem(bool frozen);
  void train(bool on = true) override;  // a frozen stem stays in eval mode

 private:
  torch::Tensor planes_of(const torch::Tensor& x) const;
  torch::Tensor stem_rows(const torch::Tensor& planes, const HardMask* hard);
  torch::Tensor embed(const torch::Tensor& x, const HardMask* hard, Taps* taps);
  torch::Tensor run_block(std::size_t index, const torch::Tensor& tokens,
                          const torch::Tensor& key_bias, Taps* taps);
  torch::Tensor run_to_gate(torch::Tensor tokens, const HardMask* hard, Taps* taps);
  void apply_mask(const torch::Tensor& tokens, const HardMask* hard, Output& out);
  void classify(const torch::Tensor& tokens, const torch::Tensor& log_mask, Output& out,
                Taps* taps);
  void init_weights();

  core::AdaToskConfig config_;
  AdaToskTrainOptions options_;
  bool stem_frozen_ = false;
  torch::Tensor positions_;               // [N, D], fixed
  torch::Tensor slot_positions_;          // [N, D], of each token's slot; undefined: not slotwise
  torch::nn::Conv3d cube_proj_{nullptr};  // without a stem
  std::vector<ConvBlock> stem_;
  torch::nn::Conv2d stem_proj_{nullptr};  // behind a stem
  std::vector<VideoMaeBlock> blocks_;
  SoftMask mask_{nullptr};  // these two: unless the config has no mask
  Linear aux_head_{nullptr};
  LayerNorm fc_norm_{nullptr};
  Dropout dropout_{nullptr};
  Linear head_{nullptr};
  LayerNorm norm_{nullptr};  // these two: with the decoder
  std::optional<Reconstruction> reconstruction_;
};
TORCH_MODULE(AdaTosk);

// The `count` largest of each row of log_mask [B, V], by their places, ascending; of equals the
// lower one (core::keep_largest): [B, count] i64.
torch::Tensor keep_largest(const torch::Tensor& log_mask, std::int64_t count);

}  // namespace mien::learn
