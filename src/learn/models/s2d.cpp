#include "learn/models/s2d.h"

#include <cmath>

#include "core/s2d_spec.h"
#include "learn/autocast.h"
#include "learn/models/micro_batch.h"
#include "learn/models/recompute.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;
using torch::indexing::None;
using torch::indexing::Slice;

namespace {

Tensor tokens_of(const Tensor& map) {
  return map.flatten(2).transpose(1, 2);
}

double ramp(double top, int index, int depth) {
  return depth > 1 ? top * index / (depth - 1) : top;
}

}  // namespace

S2DImpl::S2DImpl(const core::S2DConfig& config, const S2DTrainOptions& options)
    : config_(config), options_(options) {
  const std::int64_t width = config.embed_dim;
  if (config.with_landmark) landmark_ = register_module("landmark", MobileFaceNetTrunk());
  cls_token_ = register_parameter("cls_token", torch::zeros({1, 1, width}));
  pos_embed_ = register_parameter("pos_embed", torch::zeros({1, config.num_patches() + 1, width}));
  if (config.temporal) {
    temporal_embedding_ =
        register_parameter("temporal_embedding", torch::zeros({1, config.num_frames, width}));
  }
  int channels = config.in_chans;
  for (std::size_t i = 0; i < config.stem.size(); ++i) {
    const core::ConvBlockSpec spec{.name = "",
                                   .in = channels,
                                   .out = config.stem[i].channels,
                                   .kernel = 3,
                                   .stride = config.stem[i].stride,
                                   .padding = 1,
                                   .prelu = false};
    stem_.emplace_back(spec, ConvBlockImpl::Activation::kRelu);
    register_dotted(*this, "patch_embed.stem." + std::to_string(i), stem_.back().ptr());
    channels = spec.out;
  }
  const int kernel = config.stem.empty() ? config.patch_size : 1;
  patch_proj_ = nn::Conv2d(nn::Conv2dOptions(channels, width, kernel).stride(kernel));
  register_dotted(*this, "patch_embed.proj", patch_proj_.ptr());
  prompt_proj_ = nn::Conv2d(nn::Conv2dOptions(config.in_chans_l, width, 1));
  register_dotted(*this, "patch_embed_prompt.proj", prompt_proj_.ptr());
  for (int i = 0; i < core::prompt_count(config); ++i) {
    prompts_.emplace_back(config);
    register_dotted(*this, "prompt_blocks." + std::to_string(i), prompts_.back().ptr());
    prompt_norms_.emplace_back(width, core::kVitNormEps);
    register_dotted(*this, "prompt_norms." + std::to_string(i), prompt_norms_.back().ptr());
  }
  for (int i = 0; i < config.depth; ++i) {
    blocks_.emplace_back(config, ramp(options.drop_path, i, config.depth));
    register_dotted(*this, "blocks." + std::to_string(i), blocks_.back().ptr());
  }
  ln_post_ = register_module("ln_post", LayerNorm(width, core::kVitNormEps));
  fc_cls_ = Linear(width, config.num_classes);
  register_dotted(*this, "head.fc_cls", fc_cls_.ptr());
  dropout_ = register_module("head_dropout", Dropout(config.head_dropout_ratio));
  if (options.aux_head) aux_ = register_module("aux", Linear(width, config.num_classes));
  init_weights();
}

// The official trunc_normal_(std 0.02) cuts at +-2, a hundred deviations out: it is a normal.
void S2DImpl::init_weights() {
  const torch::NoGradGuard no_grad;
  // Without itself: while a constructor runs there is no shared pointer to it yet.
  for (const auto& item : named_modules("", false)) {
    if (auto* layer = item.value()->as<nn::Linear>()) {
      nn::init::normal_(layer->weight, 0.0, 0.02);
      if (layer->bias.defined()) nn::init::zeros_(layer->bias);
    }
  }
  // He et al. 2015 (arXiv 1502.01852). LibTorch's default is 2.4 times smaller, and as BatchNorm
  // undoes the scale, Adam's steps would be that much larger relative to the weights.
  for (const ConvBlock& layer : stem_) {
    for (auto& item : layer->named_parameters()) {
      if (item.value().dim() == 4) {
        nn::init::kaiming_normal_(item.value(), 0.0, torch::kFanIn, torch::kReLU);
      }
    }
  }
  for (const PromptBlock& block : prompts_) {
    for (auto& item : block->named_parameters()) {
      if (item.value().dim() == 4) nn::init::xavier_uniform_(item.value());
    }
  }
  nn::init::xavier_uniform_(prompt_proj_->weight);
  for (Tensor* token : {&cls_token_, &pos_embed_, &temporal_embedding_}) {
    if (token->defined()) nn::init::normal_(*token, 0.0, 0.02);
  }
}

void S2DImpl::freeze_landmark(bool frozen) {
  landmark_frozen_ = frozen;
  if (!landmark_) return;
  for (Tensor& parameter : landmark_->parameters()) parameter.set_requires_grad(!frozen);
}

void S2DImpl::freeze_patches(bool frozen) {
  patches_frozen_ = frozen;
  for (ConvBlock& layer : stem_) {
    for (Tensor& parameter : layer->parameters()) parameter.set_requires_grad(!frozen);
  }
  for (Tensor& parameter : patch_proj_->parameters()) parameter.set_requires_grad(!frozen);
}

Tensor S2DImpl::landmark_map(const Tensor& frames, Taps* taps) {
  // The trunk sees landmark_size / img_size of the picture; the ratio also holds when training at a
  // lower resolution.
  const std::int64_t size = frames.size(-1) * config_.landmark_size / config_.img_size;
  const Tensor small =
      size == frames.size(-1)
          ? frames
          : nn::functional::interpolate(frames, nn::functional::InterpolateFuncOptions()
                                                    .size(std::vector<std::int64_t>{size, size})
                                                    .mode(torch::kBilinear)
                                                    .align_corners(true));
  if (taps != nullptr) (*taps)["landmark_in"] = small;
  TORCH_CHECK(landmark_, "no landmark map given and the model has no landmark trunk");
  if (landmark_frozen_) {
    landmark_->eval();  // frozen means its BatchNorm statistics too
    const torch::NoGradGuard no_grad;
    const Tensor input = frozen_input(small);
    const ConvAutocastPause pause(frames.device());
    return landmark_->forward(input).to(torch::kFloat);
  }
  const ConvAutocastPause pause(frames.device());
  return landmark_->forward(small);
}

Tensor S2DImpl::patches(const Tensor& frames) {
  const torch::AutoGradMode gradients(torch::GradMode::is_enabled() && !patches_frozen_);
  Tensor x = patches_frozen_ && !stem_.empty() ? frozen_input(frames) : frames;
  const ConvAutocastPause pause(frames.device());
  for (ConvBlock& layer : stem_) {
    if (patches_frozen_) layer->eval();  // its BatchNorm statistics too
    x = layer(x);
  }
  return tokens_of(patch_proj_(x.to(torch::kFloat)));
}

Tensor S2DImpl::positions(std::int64_t patches) const {
  if (patches == config_.num_patches()) return pos_embed_;
  const auto side =
      static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(patches))));
  const Tensor map = pos_embed_.index({Slice(), Slice(1, None)})
                         .transpose(1, 2)
                         .reshape({1, -1, config_.grid(), config_.grid()});
  const Tensor resized =
      nn::functional::interpolate(map, nn::functional::InterpolateFuncOptions()
                                           .size(std::vector<std::int64_t>{side, side})
                                           .mode(torch::kBilinear)
                                           .align_corners(false));
  return torch::cat({pos_embed_.index({Slice(), Slice(None, 1)}), tokens_of(resized)}, 1);
}

void S2DImpl::prompt(Tensor& tokens, Tensor& a, std::size_t index, std::int64_t frames,
                     Taps* taps) {
  // Norm 0 serves prompts 0 and 1 of x, and every prompt of a: a quirk of the official code.
  LayerNorm& x_norm = prompt_norms_[index == 0 ? 0 : index - 1];
  const std::string name = "prompt_block" + std::to_string(index);
  const PromptBlockImpl::Output out =
      prompts_[index]->forward(x_norm(tokens), prompt_norms_[0](a), frames, taps, name);
  a = out.spatial;
  tokens = tokens + out.spatial;
  if (out.tma.defined()) tokens = tokens + out.tma;
  if (taps != nullptr) {
    (*taps)[name + ".spatial"] = out.spatial;
    (*taps)[name + ".tma"] = out.tma;
  }
}

// [B, C, T, H, W] -> [B * T, C, H, W]; row b * T + t.
Tensor S2DImpl::folded(const Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), x.size(1), x.size(3), x.size(4)});
}

Tensor S2DImpl::aux_logits(const Tensor& patches, std::int64_t clips) {
  return aux_(dropout_(patches.mean(1).reshape({clips, -1, patches.size(2)}).mean(1)));
}

Tensor S2DImpl::forward_stem(const Tensor& x) {
  TORCH_CHECK(aux_, "the model was made without aux_head");
  return aux_logits(patches(folded(x)), x.size(0)).to(torch::kFloat);
}

Tensor S2DImpl::run_block(std::size_t index, const Tensor& tokens) {
  if (!options_.recompute || !is_training()) return blocks_[index](tokens);
  return recompute([block = blocks_[index]](const Tensor& x) mutable { return block(x); }, tokens);
}

S2DImpl::Output S2DImpl::forward(const Tensor& x, Tensor a, Taps* taps) {
  const std::int64_t clips = x.size(0);
  const std::int64_t frames = x.size(2);
  Output out;
  // Steps 1 to 4 of NOTES.md section 1: patch tokens with the first prompt.
  const Tensor images = folded(x);
  if (!a.defined()) a = landmark_map(images, taps);
  Tensor patch = patches(images);
  if (aux_) out.aux = aux_logits(patch, clips).to(torch::kFloat);
  a = tokens_of(prompt_proj_(a)).to(torch::kFloat);
  if (taps != nullptr) {
    (*taps)["patch_embed"] = patch;
    (*taps)["prompt_patch_embed"] = a;
  }
  prompt(patch, a, 0, frames, taps);
  Tensor tokens =
      torch::cat({cls_token_.expand({patch.size(0), -1, -1}), patch}, 1) + positions(patch.size(1));
  if (taps != nullptr) (*taps)["after_pos_embed"] = tokens;
  if (config_.temporal) {
    const Tensor time =
        temporal_embedding_.expand({clips, -1, -1}).reshape({-1, 1, tokens.size(2)});
    tokens = tokens + time;
  }
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool prompted = i >= 1 && i < prompts_.size();
    if (prompted) {
      Tensor rest = tokens.index({Slice(), Slice(1, None)});
      prompt(rest, a, i, frames, taps);
      tokens = torch::cat({tokens.index({Slice(), Slice(None, 1)}), rest}, 1);
    }
    if (taps != nullptr) (*taps)["block" + std::to_string(i) + ".in"] = tokens;
    const double keep = is_training() ? 1.0 - options_.layer_drop : 1.0;
    if (keep >= 1.0) {
      tokens = run_block(i, tokens);
    } else if (torch::rand({1}, MicroBatchScope::generator()).item<double>() < keep) {
      tokens = torch::lerp(tokens, run_block(i, tokens), 1.0 / keep);
    }
    if (taps != nullptr) (*taps)["block" + std::to_string(i) + ".out"] = tokens;
  }
  const Tensor cls = ln_post_(tokens.index({Slice(), 0})).reshape({clips, frames, -1});
  if (taps != nullptr) (*taps)["cls_per_frame"] = cls.reshape({clips * frames, -1});
  out.feature = dropout_(cls.mean(1));
  out.logits = fc_cls_(out.feature).to(torch::kFloat);
  return out;
}

}  // namespace mien::learn
