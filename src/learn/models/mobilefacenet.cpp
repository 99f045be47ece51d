#include "learn/models/mobilefacenet.h"

namespace mien::learn {

namespace nn = torch::nn;

BottleneckImpl::BottleneckImpl(const core::BottleneckSpec& spec) : residual_(spec.residual) {
  conv_ = register_module("conv", ConvBlock(spec.conv()));
  conv_dw_ = register_module("conv_dw", ConvBlock(spec.conv_dw()));
  project_ = register_module("project", ConvBlock(spec.project()));
}

torch::Tensor BottleneckImpl::forward(const torch::Tensor& x) {
  const torch::Tensor y = project_(conv_dw_(conv_(x)));
  return residual_ ? x + y : y;
}

MobileFaceNetTrunkImpl::MobileFaceNetTrunkImpl(bool full) {
  for (const core::MobileFaceNetStage& stage : core::mobilefacenet_trunk()) append(stage, trunk_);
  if (!full) return;
  for (const core::MobileFaceNetStage& stage : core::mobilefacenet_tail()) append(stage, tail_);
}

void MobileFaceNetTrunkImpl::append(const core::MobileFaceNetStage& stage,
                                    std::vector<Step>& steps) {
  for (const core::ConvBlockSpec& spec : stage.convs) {
    auto conv = std::make_shared<ConvBlockImpl>(spec);
    register_dotted(*this, spec.name, conv);
    steps.push_back({stage.name, conv, nullptr, false});
  }
  for (const core::BottleneckSpec& spec : stage.bottlenecks) {
    auto block = std::make_shared<BottleneckImpl>(spec);
    register_dotted(*this, spec.name, block);
    steps.push_back({stage.name, nullptr, block, false});
  }
  steps.back().ends_stage = true;
}

torch::Tensor MobileFaceNetTrunkImpl::run(const std::vector<Step>& steps, torch::Tensor x,
                                          Taps* taps) {
  for (const Step& step : steps) {
    x = step.conv ? step.conv->forward(x) : step.bottleneck->forward(x);
    if (taps != nullptr && step.ends_stage) (*taps)[step.stage] = x;
  }
  return x;
}

torch::Tensor MobileFaceNetTrunkImpl::forward(const torch::Tensor& x, Taps* taps) {
  return run(trunk_, x, taps);
}

MobileFaceNetImpl::MobileFaceNetImpl(const core::MobileFaceNetConfig& config)
    : MobileFaceNetTrunkImpl(true) {
  gdc_ = std::make_shared<ConvBlockImpl>(core::mobilefacenet_gdc());
  register_dotted(*this, core::mobilefacenet_gdc().name, gdc_);
  linear_ = Linear(nn::LinearOptions(512, config.embedding_size).bias(false));
  bn_ = nn::BatchNorm1d(nn::BatchNorm1dOptions(config.embedding_size).eps(core::kBatchNormEps));
  register_dotted(*this, "output_layer.linear", linear_.ptr());
  register_dotted(*this, "output_layer.bn", bn_.ptr());
}

MobileFaceNetImpl::Output MobileFaceNetImpl::forward(const torch::Tensor& x, Taps* taps) {
  constexpr std::int64_t kTailGrid = 14;  // 7x7 after conv_45, what the output layer's kernel spans
  Output out;
  out.feature = run(trunk_, x, taps);
  torch::Tensor y = out.feature;
  if (y.size(-1) != kTailGrid) {
    y = nn::functional::interpolate(y, nn::functional::InterpolateFuncOptions()
                                           .size(std::vector<std::int64_t>{kTailGrid, kTailGrid})
                                           .mode(torch::kBilinear)
                                           .align_corners(false));
  }
  y = gdc_->forward(run(tail_, y, taps)).flatten(1);
  if (taps != nullptr) (*taps)["output_layer.conv_6_dw"] = y;
  y = linear_(y);
  if (taps != nullptr) (*taps)["output_layer.linear"] = y;
  out.landmark = bn_(y);
  return out;
}

}  // namespace mien::learn
