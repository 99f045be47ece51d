// MobileFaceNet in LibTorch, parameter names as in the official landmark/mobilefacenet.py.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "core/model_config.h"
#include "learn/models/modules.h"

namespace mien::learn {

// Named activations of a forward pass, for parity tests; null: record nothing.
using Taps = std::map<std::string, torch::Tensor>;

// "Depth_Wise": expand, depthwise, project, with a residual where the spec says so.
class BottleneckImpl : public torch::nn::Module {
 public:
  explicit BottleneckImpl(const core::BottleneckSpec& spec);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  ConvBlock conv_{nullptr}, conv_dw_{nullptr}, project_{nullptr};
  bool residual_;
};
TORCH_MODULE(Bottleneck);

// conv1 .. conv_4. [B, 3, H, W] normalised -> [B, 128, H/8, W/8]; H, W multiples of 8.
class MobileFaceNetTrunkImpl : public torch::nn::Module {
 public:
  // With `full` the modules of the tail and output layer are registered too (MobileFaceNetImpl).
  explicit MobileFaceNetTrunkImpl(bool full = false);
  torch::Tensor forward(const torch::Tensor& x, Taps* taps = nullptr);

 protected:
  struct Step {
    std::string stage;
    std::shared_ptr<ConvBlockImpl> conv;
    std::shared_ptr<BottleneckImpl> bottleneck;
    bool ends_stage = false;
  };
  void append(const core::MobileFaceNetStage& stage, std::vector<Step>& steps);
  static torch::Tensor run(const std::vector<Step>& steps, torch::Tensor x, Taps* taps);

  std::vector<Step> trunk_, tail_;
};
TORCH_MODULE(MobileFaceNetTrunk);

// The whole network: points and feature.
class MobileFaceNetImpl : public MobileFaceNetTrunkImpl {
 public:
  explicit MobileFaceNetImpl(const core::MobileFaceNetConfig& config);

  struct Output {
    torch::Tensor landmark;  // [B, embedding_size], x0,y0,x1,y1,...
    torch::Tensor feature;   // conv_4: [B, 128, H/8, W/8]
  };
  // x [B, 3, S, S], S = 112; or S = 56 while training: then the feature is enlarged to 14x14 before
  // the tail, which costs a third and teaches the trunk the half scale that S2D's small presets
  // use.
  Output forward(const torch::Tensor& x, Taps* taps = nullptr);

 private:
  std::shared_ptr<ConvBlockImpl> gdc_;
  Linear linear_{nullptr};
  torch::nn::BatchNorm1d bn_{nullptr};
};
TORCH_MODULE(MobileFaceNet);

}  // namespace mien::learn
