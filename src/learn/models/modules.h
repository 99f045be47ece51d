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

// A linear layer that adds its bias inside the product, and under autocast in bf16 as PyTorch does:
// that of LibTorch's C++ frontend adds an f32 bias in a pass of its own, some 5 % of a step of
// videomae-tiny. [..., in] -> [..., out].
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;
  torch::Tensor forward(const torch::Tensor& x) { return torch::linear(x, weight, bias); }
};
TORCH_MODULE(Linear);

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
// sample of a residual branch is left out with probability `rate`, and what the branch adds to the
// others is scaled by 1 / (1 - rate). Samples that are left out are not computed:
//
//   const DropPath path(x, rate, is_training());
//   return path.add(branch(path.kept(x)));
//
// Draws as MicroBatchScope says, one number per sample. When all are left out, the branch is
// computed all the same and counts nothing, so that its parameters have a gradient in every step.
class DropPath {
 public:
  // x: [B, ...], what the branch is added to.
  DropPath(const torch::Tensor& x, double rate, bool training);

  // Of [B, ...] the samples that are computed; undefined if `of_all` is.
  torch::Tensor kept(const torch::Tensor& of_all) const;

  // x with `branch`, of the kept samples, added.
  torch::Tensor add(const torch::Tensor& branch) const;

 private:
  torch::Tensor x_, kept_;  // kept_: numbers of samples; undefined where all are kept
  double scale_ = 1.0;
};

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
