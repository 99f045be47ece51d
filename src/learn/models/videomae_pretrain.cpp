#include "learn/models/videomae_pretrain.h"

#include "core/s2d_spec.h"
#include "core/videomae_spec.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;

VideoMaePretrainImpl::VideoMaePretrainImpl(const core::VideoMaeConfig& encoder,
                                           const core::VideoMaeConfig& decoder)
    : config_(encoder) {
  const std::int64_t width = encoder.embed_dim;
  positions_ =
      torch::tensor(core::sincos_positions(encoder.tokens(), encoder.embed_dim)).view({-1, width});
  const std::vector<std::int64_t> cube = {encoder.tubelet_size, encoder.patch_size,
                                          encoder.patch_size};
  patch_proj_ = nn::Conv3d(nn::Conv3dOptions(encoder.in_chans, width, cube).stride(cube));
  register_dotted(*this, "encoder.patch_embed.proj", patch_proj_.ptr());
  for (int i = 0; i < encoder.depth; ++i) {
    blocks_.emplace_back(encoder, 0.0);
    init_xavier(*blocks_.back());
    register_dotted(*this, "encoder.blocks." + std::to_string(i), blocks_.back().ptr());
  }
  norm_ = LayerNorm(width, core::kVitNormEps);
  register_dotted(*this, "encoder.norm", norm_.ptr());
  reconstruction_.emplace(*this, width, decoder);
}

Tensor VideoMaePretrainImpl::forward(const Tensor& x, const HardMask& mask, Taps* taps) {
  if (positions_.device() != x.device()) positions_ = positions_.to(x.device());
  const Tensor rows = take_tokens(cube_rows(x, config_), mask.visible);
  Tensor tokens =
      torch::linear(rows, patch_proj_->weight.flatten(1), patch_proj_->bias).to(torch::kFloat) +
      take_tokens(positions_, mask.visible);
  if (taps != nullptr) (*taps)["encoder.visible_tokens_in"] = tokens;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    tokens = blocks_[i]->forward(tokens, taps, "encoder.block" + std::to_string(i));
  }
  const Tensor encoded = norm_(tokens);
  if (taps != nullptr) (*taps)["encoder.out"] = encoded;
  return reconstruction_->forward(encoded, mask, taps);
}

}  // namespace mien::learn
