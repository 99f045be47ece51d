// Small pieces that both networks are made of.
#pragma once

#include <torch/torch.h>

#include <string>

#include "core/mobilefacenet_spec.h"

namespace mien::learn {

// Convolution + BatchNorm + PReLU (or ReLU, or nothing), under the official names conv, bn, prelu.
// [B, in, H, W] -> [B, out, H', W']. In eval mode and without gradients BatchNorm is folded into
// the convolution, and everything is computed in the type of the input: one pass over memory
// instead of three.
class ConvBlockImpl : public torch::nn::Module {
 public:
  enum class Activation { kFromSpec, kRelu };
  explicit ConvBlockImpl(const core::ConvBlockSpec& spec,
                         Activation activation = Activation::kFromSpec);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor folded(const torch::Tensor& x) const;

  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d bn_{nullptr};
  torch::nn::PReLU prelu_{nullptr};  // empty when the block is linear or ReLU
  bool relu_ = false;
};
TORCH_MODULE(ConvBlock);

// Registers `child` under a dotted name ("conv_3.model.0"), making empty modules on the way, so
// that parameter names come out as in the official checkpoints.
void register_dotted(torch::nn::Module& parent, const std::string& dotted,
                     std::shared_ptr<torch::nn::Module> child);

// LayerNorm that works in f32 whatever the input is: the CPU kernel of LibTorch 1.13 rejects bf16
// input with f32 weights, and the statistics want the precision anyway. [..., D] -> f32 [..., D].
class LayerNormImpl : public torch::nn::Module {
 public:
  LayerNormImpl(std::int64_t width, double eps);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor weight_, bias_;
  double eps_;
};
TORCH_MODULE(LayerNorm);

// Stochastic depth (Huang et al. 2016, arXiv 1603.09382) sample by sample: while training, each
// sample of a residual branch [B, N, D] becomes zero with probability `rate`, and the others are
// scaled by 1 / (1 - rate). Draws as MicroBatchScope says.
torch::Tensor drop_path(const torch::Tensor& branch, double rate, bool training);

// torch::nn::Dropout (elements instead of samples), which draws as MicroBatchScope says.
class DropoutImpl : public torch::nn::Module {
 public:
  explicit DropoutImpl(double rate) : rate_(rate) {}
  torch::Tensor forward(const torch::Tensor& x) const;

 private:
  double rate_;
};
TORCH_MODULE(Dropout);

}  // namespace mien::learn
