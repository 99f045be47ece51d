#include "learn/models/videomae_decoder.h"

#include <cmath>

#include "core/s2d_spec.h"
#include "core/videomae_spec.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;

namespace {

// Normal of deviation `std` within one deviation, by the inverse of its distribution (official:
// trunc_normal_ with a = -std, b = std).
void fill_cut_normal(Tensor& tensor, double std) {
  const torch::NoGradGuard no_grad;
  const double edge = std::erf(std::sqrt(0.5));  // 2 Phi(1) - 1
  tensor.uniform_(-edge, edge).erfinv_().mul_(std * std::sqrt(2.0)).clamp_(-std, std);
}

}  // namespace

void init_xavier(nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : module.modules()) {
    if (auto* layer = child->as<nn::Linear>()) {
      nn::init::xavier_uniform_(layer->weight);
      if (layer->bias.defined()) nn::init::zeros_(layer->bias);
    }
  }
}

VideoMaeDecoderImpl::VideoMaeDecoderImpl(const core::VideoMaeConfig& sizes) {
  for (int i = 0; i < sizes.depth; ++i) {
    blocks_.emplace_back(sizes, 0.0);
    register_dotted(*this, "blocks." + std::to_string(i), blocks_.back().ptr());
  }
  norm_ = register_module("norm", LayerNorm(sizes.embed_dim, core::kVitNormEps));
  const std::int64_t values = static_cast<std::int64_t>(sizes.tubelet_size) * sizes.patch_size *
                              sizes.patch_size * sizes.in_chans;
  head_ = register_module("head", Linear(sizes.embed_dim, values));
}

Tensor VideoMaeDecoderImpl::forward(const Tensor& x, std::int64_t tail, Taps* taps) {
  Tensor tokens = x;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    tokens = blocks_[i]->forward(tokens, taps, "decoder.block" + std::to_string(i));
  }
  return head_(norm_(tokens.narrow(1, tokens.size(1) - tail, tail))).to(torch::kFloat);
}

Reconstruction::Reconstruction(nn::Module& owner, std::int64_t encoder_width,
                               const core::VideoMaeConfig& sizes) {
  const std::int64_t width = sizes.embed_dim;
  positions_ =
      torch::tensor(core::sincos_positions(sizes.tokens(), sizes.embed_dim)).view({-1, width});
  encoder_to_decoder_ = owner.register_module(
      "encoder_to_decoder", Linear(nn::LinearOptions(encoder_width, width).bias(false)));
  mask_token_ = owner.register_parameter("mask_token", torch::zeros({1, 1, width}));
  decoder_ = owner.register_module("decoder", VideoMaeDecoder(sizes));
  init_xavier(*encoder_to_decoder_);
  init_xavier(*decoder_);
  fill_cut_normal(mask_token_, 0.02);
}

Tensor Reconstruction::forward(const Tensor& encoded, const HardMask& mask, Taps* taps) {
  if (positions_.device() != encoded.device()) positions_ = positions_.to(encoded.device());
  const Tensor visible = encoder_to_decoder_(encoded).to(torch::kFloat);
  const Tensor tokens = torch::cat({visible + take_tokens(positions_, mask.visible),
                                    mask_token_ + take_tokens(positions_, mask.hidden)},
                                   1);
  if (taps != nullptr) {
    (*taps)["encoder_to_decoder"] = visible;
    (*taps)["decoder.in"] = tokens;
  }
  return decoder_->forward(tokens, mask.hidden.size(1), taps);
}

}  // namespace mien::learn
