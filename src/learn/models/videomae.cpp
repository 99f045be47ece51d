#include "learn/models/videomae.h"

#include <algorithm>

#include "core/s2d_spec.h"
#include "core/videomae_spec.h"
#include "learn/models/attend.h"
#include "learn/models/recompute.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;

VideoMaeAttentionImpl::VideoMaeAttentionImpl(const core::VideoMaeConfig& config)
    : heads_(config.num_heads) {
  const std::int64_t width = config.embed_dim;
  if (config.qkv_bias) {
    q_bias_ = register_parameter("q_bias", torch::zeros({width}));
    v_bias_ = register_parameter("v_bias", torch::zeros({width}));
  }
  qkv_ = register_module("qkv", Linear(nn::LinearOptions(width, 3 * width).bias(false)));
  proj_ = register_module("proj", Linear(width, width));
}

Tensor VideoMaeAttentionImpl::forward(const Tensor& x, const Tensor& key_bias) {
  Tensor bias;
  if (q_bias_.defined()) bias = torch::cat({q_bias_, torch::zeros_like(v_bias_), v_bias_});
  return proj_(attend(torch::linear(x, qkv_->weight, bias), heads_, key_bias));
}

VideoMaeBlockImpl::VideoMaeBlockImpl(const core::VideoMaeConfig& config, double drop_path)
    : drop_path_(drop_path) {
  norm1_ = register_module("norm1", LayerNorm(config.embed_dim, core::kVitNormEps));
  attn_ = register_module("attn", VideoMaeAttention(config));
  norm2_ = register_module("norm2", LayerNorm(config.embed_dim, core::kVitNormEps));
  mlp_ = register_module("mlp", Mlp(config.embed_dim, config.mlp_dim()));
}

Tensor VideoMaeBlockImpl::forward(const Tensor& x, Taps* taps, const std::string& name,
                                  const Tensor& key_bias) {
  const DropPath first(x, drop_path_, is_training());
  const Tensor attention = attn_->forward(norm1_(first.kept(x)), first.kept(key_bias));
  const Tensor y = first.add(attention);
  const DropPath second(y, drop_path_, is_training());
  const Tensor mlp = mlp_(norm2_(second.kept(y)));
  const Tensor out = second.add(mlp);
  if (taps != nullptr) {
    (*taps)[name + ".attn"] = attention;
    (*taps)[name + ".mlp"] = mlp;
    (*taps)[name + ".out"] = out;
  }
  return out;
}

VideoMaeImpl::VideoMaeImpl(const core::VideoMaeConfig& config, const VideoMaeTrainOptions& options)
    : config_(config), options_(options) {
  const std::int64_t width = config.embed_dim;
  positions_ =
      torch::tensor(core::sincos_positions(config.tokens(), config.embed_dim)).view({-1, width});
  const std::vector<std::int64_t> tubelet = {config.tubelet_size, config.patch_size,
                                             config.patch_size};
  patch_proj_ = nn::Conv3d(nn::Conv3dOptions(config.in_chans, width, tubelet).stride(tubelet));
  register_dotted(*this, "patch_embed.proj", patch_proj_.ptr());
  for (int i = 0; i < config.depth; ++i) {
    blocks_.emplace_back(config, options.drop_path * i / std::max(1, config.depth - 1));
    register_dotted(*this, "blocks." + std::to_string(i), blocks_.back().ptr());
  }
  fc_norm_ = register_module("fc_norm", LayerNorm(width, core::kVitNormEps));
  dropout_ = register_module("fc_dropout", Dropout(options.head_dropout));
  head_ = register_module("head", Linear(width, config.num_classes));
  init_weights();
}

// The official trunc_normal_(std 0.02) cuts at +-2, a hundred deviations out: it is a normal. The
// tubelet embedding keeps LibTorch's default, which is PyTorch's.
void VideoMaeImpl::init_weights() {
  const torch::NoGradGuard no_grad;
  // Without itself: while a constructor runs there is no shared pointer to it yet.
  for (const auto& item : named_modules("", false)) {
    if (auto* layer = item.value()->as<nn::Linear>()) {
      nn::init::normal_(layer->weight, 0.0, 0.02);
      if (layer->bias.defined()) nn::init::zeros_(layer->bias);
    }
  }
  head_->weight.mul_(options_.init_scale);
}

// The convolution's kernel is its stride, so it is a linear layer on the rows made here.
Tensor cube_rows(const Tensor& clips, const core::VideoMaeConfig& c) {
  const bool fits = clips.dim() == 5 && clips.size(1) == c.in_chans &&
                    clips.size(2) == c.num_frames && clips.size(3) == c.img_size &&
                    clips.size(4) == c.img_size;
  TORCH_CHECK(fits, "the clip has shape ", clips.sizes(), ", the model takes [B, ", c.in_chans,
              ", ", c.num_frames, ", ", c.img_size, ", ", c.img_size, "]");
  return clips
      .reshape({clips.size(0), c.in_chans, c.slots(), c.tubelet_size, c.grid(), c.patch_size,
                c.grid(), c.patch_size})
      .permute({0, 2, 4, 6, 1, 3, 5, 7})
      .reshape({clips.size(0), c.tokens(), -1});
}

VideoMaeImpl::Output VideoMaeImpl::forward(const Tensor& x, Taps* taps) {
  if (positions_.device() != x.device()) positions_ = positions_.to(x.device());
  const Tensor patches =
      torch::linear(cube_rows(x, config_), patch_proj_->weight.flatten(1), patch_proj_->bias)
          .to(torch::kFloat);
  Tensor tokens = patches + positions_;
  if (taps != nullptr) {
    (*taps)["pos_embed"] = positions_;
    (*taps)["patch_embed"] = patches;
    (*taps)["after_pos_embed"] = tokens;
  }
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const auto block = blocks_[i].ptr();
    if (options_.checkpoint && taps == nullptr) {
      tokens = recompute([block](const Tensor& in) { return block->forward(in); }, tokens);
    } else {
      tokens = block->forward(tokens, taps, "block" + std::to_string(i));
    }
  }
  const Tensor pooled = tokens.mean(1);
  const Tensor normed = fc_norm_(pooled);
  if (taps != nullptr) {
    (*taps)["mean_pooled"] = pooled;
    (*taps)["fc_norm"] = normed;
  }
  Output out;
  out.feature = dropout_(normed);
  out.logits = head_(out.feature).to(torch::kFloat);
  return out;
}

std::optional<std::string> videomae_rename(const std::string& name) {
  const std::string encoder = "encoder.";
  const std::string own = name.starts_with(encoder) ? name.substr(encoder.size()) : name;
  const bool dropped = own == "mask_token" || own.starts_with("decoder.") ||
                       own.starts_with("encoder_to_decoder.") || own.starts_with("norm.");
  if (dropped) return std::nullopt;
  return own;
}

}  // namespace mien::learn
