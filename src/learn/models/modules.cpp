#include "learn/models/modules.h"

#include "learn/models/micro_batch.h"

namespace mien::learn {

namespace nn = torch::nn;

ConvBlockImpl::ConvBlockImpl(const core::ConvBlockSpec& spec, Activation activation)
    : relu_(activation == Activation::kRelu) {
  conv_ = register_module("conv", nn::Conv2d(nn::Conv2dOptions(spec.in, spec.out, spec.kernel)
                                                 .stride(spec.stride)
                                                 .padding(spec.padding)
                                                 .groups(spec.groups)
                                                 .bias(false)));
  bn_ = register_module("bn",
                        nn::BatchNorm2d(nn::BatchNorm2dOptions(spec.out).eps(core::kBatchNormEps)));
  if (spec.prelu && !relu_) {
    prelu_ = register_module("prelu", nn::PReLU(nn::PReLUOptions().num_parameters(spec.out)));
  }
}

torch::Tensor ConvBlockImpl::forward(const torch::Tensor& x) {
  const bool fold = !torch::GradMode::is_enabled() && !bn_->is_training();
  torch::Tensor y = fold ? folded(x) : bn_(conv_(x));
  if (relu_) return y.relu_();
  return prelu_ ? torch::prelu(y, prelu_->weight.to(y.scalar_type())) : y;
}

// conv(x) gain + (bias - mean gain), gain = weight / sqrt(variance + eps).
torch::Tensor ConvBlockImpl::folded(const torch::Tensor& x) const {
  const torch::Tensor gain = bn_->weight * (bn_->running_var + bn_->options.eps()).rsqrt();
  const torch::Tensor weight = conv_->weight * gain.view({-1, 1, 1, 1});
  const torch::Tensor bias = bn_->bias - bn_->running_mean * gain;
  const auto& o = conv_->options;
  return nn::functional::detail::conv2d(x, weight.to(x.scalar_type()), bias.to(x.scalar_type()),
                                        o.stride(), o.padding(), o.dilation(), o.groups());
}

void register_dotted(nn::Module& parent, const std::string& dotted,
                     std::shared_ptr<nn::Module> child) {
  const std::size_t dot = dotted.find('.');
  if (dot == std::string::npos) {
    parent.register_module(dotted, std::move(child));
    return;
  }
  const std::string head = dotted.substr(0, dot);
  const auto children = parent.named_children();
  const std::shared_ptr<nn::Module> next =
      children.contains(head) ? children[head]
                              : parent.register_module(head, std::make_shared<nn::Module>(head));
  register_dotted(*next, dotted.substr(dot + 1), std::move(child));
}

LayerNormImpl::LayerNormImpl(std::int64_t width, double eps) : eps_(eps) {
  weight_ = register_parameter("weight", torch::ones({width}));
  bias_ = register_parameter("bias", torch::zeros({width}));
}

torch::Tensor LayerNormImpl::forward(const torch::Tensor& x) {
  return torch::layer_norm(x.to(torch::kFloat), {weight_.size(0)}, weight_, bias_, eps_);
}

DropPath::DropPath(const torch::Tensor& x, double rate, bool training) : x_(x) {
  if (!training || rate <= 0.0) return;
  const double keep = 1.0 - rate;
  const torch::Tensor drawn = torch::empty({x.size(0)}, x.options().requires_grad(false))
                                  .bernoulli_(keep, MicroBatchScope::generator());
  const torch::Tensor kept = drawn.nonzero().squeeze(1);
  scale_ = kept.size(0) > 0 ? 1.0 / keep : 0.0;
  if (kept.size(0) > 0 && kept.size(0) < x.size(0)) kept_ = kept;
}

torch::Tensor DropPath::kept(const torch::Tensor& of_all) const {
  return kept_.defined() && of_all.defined() ? of_all.index_select(0, kept_) : of_all;
}

torch::Tensor DropPath::add(const torch::Tensor& branch) const {
  if (!kept_.defined()) return scale_ == 1.0 ? x_ + branch : torch::add(x_, branch, scale_);
  return x_.index_add(0, kept_, branch.to(x_.scalar_type()), scale_);
}

torch::Tensor DropoutImpl::forward(const torch::Tensor& x) const {
  if (!is_training() || rate_ <= 0.0) return x;
  const double keep = 1.0 - rate_;
  const torch::Tensor mask = torch::empty_like(x).bernoulli_(keep, MicroBatchScope::generator());
  return x * mask.div_(keep);
}

}  // namespace mien::learn
