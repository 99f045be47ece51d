// The transformer pieces of S2D (timm 0.6.12's Block; the adapters and prompts of the official
// code).
#pragma once

#include <torch/torch.h>

#include "core/model_config.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/modules.h"

namespace mien::learn {

// Multi-head self-attention. [B, N, D] -> [B, N, D].
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(std::int64_t width, std::int64_t heads, bool qkv_bias);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Linear qkv_{nullptr}, proj_{nullptr};
  std::int64_t heads_;
};
TORCH_MODULE(Attention);

// Two linear layers with exact GELU between: fc1, fc2.
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(std::int64_t width, std::int64_t hidden);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Linear fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(Mlp);

// Pre-norm transformer block. `drop_path`: probability that a sample skips each of the two residual
// branches while training (survivors are scaled up).
class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(const core::S2DConfig& config, double drop_path);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  LayerNorm norm1_{nullptr}, norm2_{nullptr};
  Attention attn_{nullptr};
  Mlp mlp_{nullptr};
  double drop_path_;
};
TORCH_MODULE(Block);

// Temporal-modelling adapter: attention over the frames of each place, then a spatial adapter.
// [B*T, N, D] -> [B*T, N, D]; no skip connections (the caller adds).
class TmaImpl : public torch::nn::Module {
 public:
  explicit TmaImpl(const core::S2DConfig& config);
  torch::Tensor forward(const torch::Tensor& x, std::int64_t frames, Taps* taps,
                        const std::string& name);

 private:
  Linear t_fc1_{nullptr}, t_fc2_{nullptr}, s_fc1_{nullptr}, s_fc2_{nullptr};
  Attention attn_{nullptr};
  LayerNorm norm_{nullptr};
};
TORCH_MODULE(Tma);

// Multi-view complementary prompter. Token layout [B*T, N, D]; its 1x1 convolutions are linear
// layers on tokens.
class PromptBlockImpl : public torch::nn::Module {
 public:
  explicit PromptBlockImpl(const core::S2DConfig& config);

  struct Output {
    torch::Tensor spatial;  // s
    torch::Tensor tma;      // m; undefined for the image model
  };
  // x, a: layer-normed tokens of the picture and of the landmark map.
  Output forward(const torch::Tensor& x, const torch::Tensor& a, std::int64_t frames, Taps* taps,
                 const std::string& name);

 private:
  torch::nn::Conv2d conv0_0_{nullptr}, conv0_1_{nullptr}, conv1x1_{nullptr};
  torch::Tensor smooth_;
  Tma tma_{nullptr};  // empty for the image model
};
TORCH_MODULE(PromptBlock);

}  // namespace mien::learn
