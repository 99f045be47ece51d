// S2D in LibTorch: image model and video model, parameter names as in the official
// model_finetuning.py (NOTES.md section 1).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "core/model_config.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/modules.h"
#include "learn/models/vit.h"

namespace mien::learn {

// What changes training and not the function.
struct S2DTrainOptions {
  double drop_path = 0.0;  // of the last block; grows linearly from 0 over the depth
  // Probability that a whole batch skips a block, which saves its time; kept blocks count for more,
  // so that all of them together fit at run time (Huang et al. 2016, arXiv 1603.09382).
  double layer_drop = 0.0;
  // A second classifier on the mean of the patch tokens, before the first prompt: it teaches the
  // stem directly. (Behind the prompt it taught it little: the trunk's features, trained before,
  // explained what was easy, and the stem stayed at what they can do.) Not part of the model file.
  bool aux_head = false;
  bool recompute = false;  // blocks are computed again in the backward pass (recompute.h)
};

class S2DImpl : public torch::nn::Module {
 public:
  explicit S2DImpl(const core::S2DConfig& config, const S2DTrainOptions& options = {});

  struct Output {
    torch::Tensor logits;   // [B, classes]
    torch::Tensor feature;  // [B, D], time mean of the class token, after dropout
    torch::Tensor aux;      // [B, classes] of the second classifier; undefined without it
  };
  // x [B, 3, T, H, W] normalised. `a` [B*T, C_l, g, g] landmark map; undefined: computed by the
  // model's own trunk (config.with_landmark), on the frames resized with align_corners=True. H = W
  // may differ from img_size while training (a multiple of patch_size): the position embedding is
  // then interpolated.
  Output forward(const torch::Tensor& x, torch::Tensor a = {}, Taps* taps = nullptr);

  // The second classifier alone, without trunk and transformer: [B, classes]. Needs aux_head.
  torch::Tensor forward_stem(const torch::Tensor& x);

  // The official way is a frozen trunk; our small presets train it along.
  void freeze_landmark(bool frozen);
  // The patch embedding (and its stem's BatchNorm statistics) stays as it is, and costs no backward
  // pass: the official way in the video stage.
  void freeze_patches(bool frozen);
  MobileFaceNetTrunk landmark() { return landmark_; }

 private:
  static torch::Tensor folded(const torch::Tensor& x);
  torch::Tensor landmark_map(const torch::Tensor& frames, Taps* taps);
  torch::Tensor patches(const torch::Tensor& frames);
  torch::Tensor aux_logits(const torch::Tensor& patches, std::int64_t clips);
  torch::Tensor positions(std::int64_t patches) const;
  void prompt(torch::Tensor& tokens, torch::Tensor& a, std::size_t index, std::int64_t frames,
              Taps* taps);
  torch::Tensor run_block(std::size_t index, const torch::Tensor& tokens);
  void init_weights();

  core::S2DConfig config_;
  S2DTrainOptions options_;
  bool landmark_frozen_ = false;
  bool patches_frozen_ = false;
  torch::Tensor cls_token_, pos_embed_, temporal_embedding_;
  MobileFaceNetTrunk landmark_{nullptr};
  std::vector<ConvBlock> stem_;
  torch::nn::Conv2d patch_proj_{nullptr}, prompt_proj_{nullptr};
  std::vector<PromptBlock> prompts_;
  std::vector<LayerNorm> prompt_norms_;
  std::vector<Block> blocks_;
  LayerNorm ln_post_{nullptr};
  Linear fc_cls_{nullptr};
  Linear aux_{nullptr};  // empty without aux_head
  Dropout dropout_{nullptr};
};
TORCH_MODULE(S2D);

}  // namespace mien::learn
