// VideoMAE's fine-tuned ViT in LibTorch, parameter names as in the official modeling_finetune.py
// (NOTES.md section 9).
#pragma once

#include <torch/torch.h>

#include <optional>
#include <string>
#include <vector>

#include "core/model_config.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/modules.h"
#include "learn/models/vit.h"

namespace mien::learn {

// What changes training and not the function.
struct VideoMaeTrainOptions {
  double drop_path = 0.0;     // of the last block; grows linearly from 0 over the depth
  double head_dropout = 0.0;  // before the classifier (official: fc_drop_rate)
  double init_scale = 0.001;  // factor on the fresh classifier: training starts from even odds
  bool checkpoint = false;    // blocks are computed again in the backward pass (recompute.h)
};

// Multi-head self-attention whose queries and values have a bias and whose keys have none; the
// queries are scaled before the product. [B, N, D] -> [B, N, D]. A `key_bias` [B, N] is added to
// the scores of each key before the softmax, or one of [B, N, N] to those of each query (second
// dimension) with each key; undefined: none.
class VideoMaeAttentionImpl : public torch::nn::Module {
 public:
  explicit VideoMaeAttentionImpl(const core::VideoMaeConfig& config);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& key_bias = {});

 private:
  torch::Tensor q_bias_, v_bias_;  // undefined without qkv_bias
  Linear qkv_{nullptr}, proj_{nullptr};
  std::int64_t heads_;
};
TORCH_MODULE(VideoMaeAttention);

// Pre-norm transformer block. [B, N, D] -> [B, N, D].
class VideoMaeBlockImpl : public torch::nn::Module {
 public:
  VideoMaeBlockImpl(const core::VideoMaeConfig& config, double drop_path);
  // Records <name>.attn, <name>.mlp (the branches, before drop path and residual) and <name>.out.
  // `key_bias` as VideoMaeAttention has it.
  torch::Tensor forward(const torch::Tensor& x, Taps* taps = nullptr, const std::string& name = "",
                        const torch::Tensor& key_bias = {});

 private:
  LayerNorm norm1_{nullptr}, norm2_{nullptr};
  VideoMaeAttention attn_{nullptr};
  Mlp mlp_{nullptr};
  double drop_path_;
};
TORCH_MODULE(VideoMaeBlock);

// The cubes (tubelets) of clips [B, C, T, H, W], each laid out in a row as the embedding's weight
// [D, C, tubelet, patch, patch] is: [B, slots * rows * columns, C * tubelet * patch * patch].
// Throws c10::Error for clips of other sizes than the config's.
torch::Tensor cube_rows(const torch::Tensor& clips, const core::VideoMaeConfig& config);

class VideoMaeImpl : public torch::nn::Module {
 public:
  explicit VideoMaeImpl(const core::VideoMaeConfig& config,
                        const VideoMaeTrainOptions& options = {});

  struct Output {
    torch::Tensor logits;   // [B, classes]
    torch::Tensor feature;  // [B, D], normed mean of all tokens, after dropout
  };
  // x [B, in_chans, num_frames, img_size, img_size] normalised; other sizes throw c10::Error. With
  // taps no block is computed again.
  Output forward(const torch::Tensor& x, Taps* taps = nullptr);

 private:
  void init_weights();

  core::VideoMaeConfig config_;
  VideoMaeTrainOptions options_;
  torch::Tensor positions_;  // [N, D], fixed: neither parameter nor buffer, so in no state dict
  torch::nn::Conv3d patch_proj_{nullptr};
  std::vector<VideoMaeBlock> blocks_;
  LayerNorm fc_norm_{nullptr};
  Dropout dropout_{nullptr};
  Linear head_{nullptr};
};
TORCH_MODULE(VideoMae);

// The name here of a tensor of an official checkpoint, pre-trained or fine-tuned: `encoder.` is
// dropped from the front. Nothing for what only pre-training has (mask_token, decoder.*,
// encoder_to_decoder.*) and for the encoder's last norm, which this model does without: fc_norm and
// head are new there.
std::optional<std::string> videomae_rename(const std::string& name);

}  // namespace mien::learn
