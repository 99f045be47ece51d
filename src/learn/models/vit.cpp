#include "learn/models/vit.h"

#include "core/s2d_spec.h"
#include "learn/models/attend.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;

namespace {

Linear linear(std::int64_t in, std::int64_t out, bool bias = true) {
  return Linear(nn::LinearOptions(in, out).bias(bias));
}

nn::Conv2d conv1x1(std::int64_t in, std::int64_t out) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 1));
}

Tensor on_tokens(const nn::Conv2d& conv, const Tensor& x) {
  return torch::linear(x, conv->weight.flatten(1), conv->bias);
}

}  // namespace

AttentionImpl::AttentionImpl(std::int64_t width, std::int64_t heads, bool qkv_bias)
    : heads_(heads) {
  qkv_ = register_module("qkv", linear(width, 3 * width, qkv_bias));
  proj_ = register_module("proj", linear(width, width));
}

Tensor AttentionImpl::forward(const Tensor& x) {
  return proj_(attend(qkv_(x), heads_));
}

MlpImpl::MlpImpl(std::int64_t width, std::int64_t hidden) {
  fc1_ = register_module("fc1", linear(width, hidden));
  fc2_ = register_module("fc2", linear(hidden, width));
}

Tensor MlpImpl::forward(const Tensor& x) {
  return fc2_(learn::gelu(fc1_(x)));
}

BlockImpl::BlockImpl(const core::S2DConfig& config, double drop_path) : drop_path_(drop_path) {
  norm1_ = register_module("norm1", LayerNorm(config.embed_dim, core::kVitNormEps));
  attn_ = register_module("attn", Attention(config.embed_dim, config.num_heads, true));
  norm2_ = register_module("norm2", LayerNorm(config.embed_dim, core::kVitNormEps));
  mlp_ = register_module("mlp", Mlp(config.embed_dim, config.mlp_dim()));
}

Tensor BlockImpl::forward(const Tensor& x) {
  const DropPath first(x, drop_path_, is_training());
  const Tensor y = first.add(attn_(norm1_(first.kept(x))));
  const DropPath second(y, drop_path_, is_training());
  return second.add(mlp_(norm2_(second.kept(y))));
}

TmaImpl::TmaImpl(const core::S2DConfig& config) {
  const std::int64_t width = config.embed_dim;
  const std::int64_t hidden = config.adapter_dim();
  t_fc1_ = linear(width, hidden);
  attn_ = Attention(hidden, core::kTmaHeads, false);
  t_fc2_ = linear(hidden, width);
  s_fc1_ = linear(width, hidden);
  s_fc2_ = linear(hidden, width);
  register_dotted(*this, "T_Adapter.D_fc1", t_fc1_.ptr());
  register_dotted(*this, "T_Adapter.attn", attn_.ptr());
  register_dotted(*this, "T_Adapter.D_fc2", t_fc2_.ptr());
  norm_ = register_module("norm", LayerNorm(width, core::kTmaNormEps));
  register_dotted(*this, "S_Adapter.D_fc1", s_fc1_.ptr());
  register_dotted(*this, "S_Adapter.D_fc2", s_fc2_.ptr());
}

Tensor TmaImpl::forward(const Tensor& x, std::int64_t frames, Taps* taps, const std::string& name) {
  const std::int64_t clips = x.size(0) / frames;
  const std::int64_t tokens = x.size(1);
  const std::int64_t width = x.size(2);
  // Every place becomes a sequence over time: [B, T, N, D] -> [B*N, T, D].
  const Tensor by_place = x.reshape({clips, frames, tokens, width})
                              .permute({0, 2, 1, 3})
                              .reshape({clips * tokens, frames, width});
  const Tensor time = t_fc2_(attn_(learn::gelu(t_fc1_(by_place))));
  if (taps != nullptr) (*taps)[name + ".T_Adapter"] = time;
  const Tensor by_frame = time.reshape({clips, tokens, frames, width})
                              .permute({0, 2, 1, 3})
                              .reshape({clips * frames, tokens, width});
  return s_fc2_(learn::gelu(s_fc1_(norm_(by_frame))));
}

PromptBlockImpl::PromptBlockImpl(const core::S2DConfig& config) {
  conv0_0_ = register_module("conv0_0", conv1x1(config.embed_dim, config.hidden_dim));
  conv0_1_ = register_module("conv0_1", conv1x1(config.embed_dim, config.hidden_dim));
  conv1x1_ = register_module("conv1x1", conv1x1(config.hidden_dim, config.embed_dim));
  const auto fovea = register_module("fovea", std::make_shared<nn::Module>("Fovea"));
  smooth_ = fovea->register_parameter("smooth", torch::full({1}, 10.0));
  if (config.temporal) tma_ = register_module("TMA", Tma(config));
}

PromptBlockImpl::Output PromptBlockImpl::forward(const Tensor& x, const Tensor& a,
                                                 std::int64_t frames, Taps* taps,
                                                 const std::string& name) {
  Output out;
  const Tensor u = on_tokens(conv0_0_, x).to(torch::kFloat);
  const Tensor fovea = torch::softmax(u * smooth_, 1) * u;  // over the places, per channel
  if (taps != nullptr) (*taps)[name + ".fovea"] = fovea;
  out.spatial = on_tokens(conv1x1_, fovea + on_tokens(conv0_1_, a)).to(torch::kFloat);
  if (tma_) out.tma = tma_->forward(x, frames, taps, name).to(torch::kFloat);
  return out;
}

}  // namespace mien::learn
