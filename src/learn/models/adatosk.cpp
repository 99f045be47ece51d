#include "learn/models/adatosk.h"

#include <algorithm>

#include "core/adatosk_spec.h"
#include "core/s2d_spec.h"
#include "core/videomae_spec.h"
#include "learn/autocast.h"
#include "learn/models/recompute.h"

namespace mien::learn {

namespace nn = torch::nn;
using torch::Tensor;

namespace {

// Added to a score: nothing of that key is left. Finite, also in bf16.
constexpr double kApart = -1e9;

// Planes [B, C, T, H, W] with the pixels of hidden cubes at 0.
Tensor without_hidden(const Tensor& planes, const HardMask& hard, const core::VideoMaeConfig& c) {
  const std::int64_t clips = planes.size(0);
  const Tensor visible =
      torch::zeros({clips, c.tokens()}, planes.options()).scatter(1, hard.visible, 1.0);
  return planes * visible.view({clips, 1, c.slots(), 1, c.grid(), 1, c.grid(), 1})
                      .expand({clips, 1, c.slots(), c.tubelet_size, c.grid(), c.patch_size,
                               c.grid(), c.patch_size})
                      .reshape({clips, 1, c.num_frames, c.img_size, c.img_size});
}

}  // namespace

AdaToskImpl::AdaToskImpl(const core::AdaToskConfig& config, const AdaToskTrainOptions& options)
    : config_(config), options_(options) {
  const core::VideoMaeConfig& c = config_.vit;
  const std::int64_t width = c.embed_dim;
  positions_ = torch::tensor(core::adatosk_positions(config)).view({-1, width});
  if (config.slotwise) {
    slot_positions_ = torch::tensor(core::adatosk_slot_positions(config))
                          .view({-1, width})
                          .repeat_interleave(c.tokens() / c.slots(), 0);
  }
  if (config.stem.empty()) {
    const std::vector<std::int64_t> cube = {c.tubelet_size, c.patch_size, c.patch_size};
    cube_proj_ = nn::Conv3d(nn::Conv3dOptions(c.in_chans, width, cube).stride(cube));
    register_dotted(*this, "patch_embed.proj", cube_proj_.ptr());
  } else {
    for (const core::ConvBlockSpec& spec : core::adatosk_stem(config)) {
      stem_.emplace_back(spec, ConvBlockImpl::Activation::kRelu);
      register_dotted(*this, spec.name, stem_.back().ptr());
    }
    stem_proj_ = nn::Conv2d(nn::Conv2dOptions(config.stem.back().channels, width, 1));
    register_dotted(*this, "patch_embed.proj", stem_proj_.ptr());
  }
  for (int i = 0; i < c.depth; ++i) {
    blocks_.emplace_back(c, options.drop_path * i / std::max(1, c.depth - 1));
    register_dotted(*this, "blocks." + std::to_string(i), blocks_.back().ptr());
  }
  if (config.masks()) {
    mask_ = register_module("mask", SoftMask(config));
    aux_head_ = register_module("aux_head", Linear(width, c.num_classes));
  }
  fc_norm_ = register_module("fc_norm", LayerNorm(width, core::kVitNormEps));
  dropout_ = register_module("fc_dropout", Dropout(options.head_dropout));
  head_ = register_module("head", Linear(width, c.num_classes));
  init_weights();
  if (options.decoder) {  // after the others: it begins in a way of its own
    norm_ = register_module("norm", LayerNorm(width, core::kVitNormEps));
    reconstruction_.emplace(*this, width, config.decoder());
  }
}

// As VideoMAE's, and the stem as S2D's (their reasons stand there).
void AdaToskImpl::init_weights() {
  const torch::NoGradGuard no_grad;
  // Without itself: while a constructor runs there is no shared pointer to it yet.
  for (const auto& item : named_modules("", false)) {
    if (auto* layer = item.value()->as<nn::Linear>()) {
      nn::init::normal_(layer->weight, 0.0, 0.02);
      if (layer->bias.defined()) nn::init::zeros_(layer->bias);
    }
  }
  for (const ConvBlock& layer : stem_) {
    for (auto& item : layer->named_parameters()) {
      if (item.value().dim() == 4) {
        nn::init::kaiming_normal_(item.value(), 0.0, torch::kFanIn, torch::kReLU);
      }
    }
  }
  head_->weight.mul_(options_.init_scale);
}

void AdaToskImpl::freeze_stem(bool frozen) {
  stem_frozen_ = frozen;
  for (ConvBlock& layer : stem_) {
    for (Tensor& parameter : layer->parameters()) parameter.set_requires_grad(!frozen);
  }
  train(is_training());
}

// A frozen stem keeps its BatchNorm statistics, too.
void AdaToskImpl::train(bool on) {
  Module::train(on);
  for (ConvBlock& layer : stem_) layer->train(on && !stem_frozen_);
}

// The planes that the model reads, of clips of the right size.
Tensor AdaToskImpl::planes_of(const Tensor& x) const {
  const core::VideoMaeConfig& c = config_.vit;
  const bool fits = x.dim() == 5 && (x.size(1) == 3 || x.size(1) == c.in_chans) &&
                    x.size(2) == c.num_frames && x.size(3) == c.img_size && x.size(4) == c.img_size;
  TORCH_CHECK(fits, "the clip has shape ", x.sizes(), ", the model takes [B, 3, ", c.num_frames,
              ", ", c.img_size, ", ", c.img_size, "]");
  return x.narrow(1, 0, c.in_chans);
}

// [B, C, T, H, W] -> what the 1x1 projection reads: [B, N, channels of the stem].
Tensor AdaToskImpl::stem_rows(const Tensor& planes, const HardMask* hard) {
  const core::VideoMaeConfig& c = config_.vit;
  const torch::AutoGradMode gradients(torch::GradMode::is_enabled() && !stem_frozen_);
  const bool blank = hard != nullptr && options_.blank_hidden;
  const Tensor seen = blank ? without_hidden(planes, *hard, c) : planes;
  // Frame by frame, in each its planes: [B * S, tubelet * C, H, W].
  Tensor maps = seen.transpose(1, 2).reshape(
      {planes.size(0) * c.slots(), config_.stem_channels(), c.img_size, c.img_size});
  if (stem_frozen_) maps = frozen_input(maps);
  const ConvAutocastPause pause(planes.device());
  for (ConvBlock& layer : stem_) maps = layer(maps);
  return maps.flatten(2)
      .transpose(1, 2)
      .reshape({planes.size(0), c.tokens(), -1})
      .to(torch::kFloat);
}

// Tokens with their positions; of the visible ones when some are hidden.
Tensor AdaToskImpl::embed(const Tensor& x, const HardMask* hard, Taps* taps) {
  if (positions_.device() != x.device()) {
    positions_ = positions_.to(x.device());
    if (slot_positions_.defined()) slot_positions_ = slot_positions_.to(x.device());
  }
  const Tensor planes = planes_of(x);
  Tensor rows = stem_.empty() ? cube_rows(planes, config_.vit) : stem_rows(planes, hard);
  Tensor positions = positions_;
  if (hard != nullptr) {
    rows = take_tokens(rows, hard->visible);
    positions = take_tokens(positions_, hard->visible);
  }
  const Tensor& weight = stem_.empty() ? cube_proj_->weight : stem_proj_->weight;
  const Tensor& bias = stem_.empty() ? cube_proj_->bias : stem_proj_->bias;
  const Tensor patches = torch::linear(rows, weight.flatten(1), bias).to(torch::kFloat);
  const Tensor tokens = patches + positions;
  if (taps != nullptr) {
    (*taps)["pos_embed"] = positions;
    (*taps)["patch_embed"] = patches;
    (*taps)["after_pos_embed"] = tokens;
  }
  return tokens;
}

Tensor AdaToskImpl::run_block(std::size_t index, const Tensor& tokens, const Tensor& key_bias,
                              Taps* taps) {
  const auto block = blocks_[index].ptr();
  if (!options_.checkpoint || taps != nullptr) {
    return block->forward(tokens, taps, "block" + std::to_string(index), key_bias);
  }
  const Piece piece = [block](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{
        block->forward(in[0], nullptr, "", in.size() > 1 ? in[1] : Tensor())};
  };
  std::vector<Tensor> inputs = {tokens};
  if (key_bias.defined()) inputs.push_back(key_bias);
  return recompute(piece, inputs).front();
}

// Slotwise, a slot's tokens are a sequence of their own; with gaps they differ in length, so that
// tokens of other slots are kept out of the attention instead.
Tensor AdaToskImpl::run_to_gate(Tensor tokens, const HardMask* hard, Taps* taps) {
  const core::VideoMaeConfig& c = config_.vit;
  const std::int64_t places = c.tokens() / c.slots();
  const auto sizes = tokens.sizes().vec();
  Tensor other_slots;
  if (config_.slotwise && hard != nullptr) {
    const Tensor slot = hard->visible.floor_divide(places);
    const Tensor differs = slot.unsqueeze(1).ne(slot.unsqueeze(2));  // [B, V, V]
    other_slots = torch::zeros(differs.sizes(), tokens.options()).masked_fill(differs, kApart);
  } else if (config_.slotwise) {
    tokens = tokens.reshape({-1, places, sizes[2]});
  }
  for (int i = 0; i < config_.gate; ++i) {
    tokens = run_block(static_cast<std::size_t>(i), tokens, other_slots, taps);
    if (taps == nullptr) continue;
    for (const char* part : {".attn", ".mlp", ".out"}) {
      Tensor& tap = (*taps)["block" + std::to_string(i) + part];
      tap = tap.reshape(sizes);
    }
  }
  return tokens.reshape(sizes);
}

// The mask sees the clip whole, with gaps where tokens are hidden.
void AdaToskImpl::apply_mask(const Tensor& tokens, const HardMask* hard, Output& out) {
  if (hard == nullptr) {
    const SoftMaskImpl::Output mask = mask_->forward(tokens, {}, aux_head_);
    out.log_mask = mask.log_mask;
    out.aux_logits = mask.aux_logits;
    return;
  }
  const std::int64_t clips = tokens.size(0);
  const std::int64_t all = config_.vit.tokens();
  const Tensor whole = torch::zeros({clips, all, tokens.size(2)}, tokens.options())
                           .scatter(1, hard->visible.unsqueeze(2).expand_as(tokens), tokens);
  const Tensor there =
      torch::zeros({clips, all}, tokens.options()).scatter(1, hard->visible, 1.0).gt(0.0);
  const SoftMaskImpl::Output mask = mask_->forward(whole, there, aux_head_);
  out.log_mask = mask.log_mask.gather(1, hard->visible);
  out.aux_logits = mask.aux_logits;
}

// The mean of the tokens by their masks, and the class; m_j / sum_k m_k is a softmax of log m.
void AdaToskImpl::classify(const Tensor& tokens, const Tensor& log_mask, Output& out, Taps* taps) {
  const Tensor pooled =
      log_mask.defined() ? (tokens * log_mask.softmax(1).unsqueeze(2)).sum(1) : tokens.mean(1);
  const Tensor normed = fc_norm_(pooled);
  if (taps != nullptr) {
    (*taps)["mean_pooled"] = pooled;
    (*taps)["fc_norm"] = normed;
  }
  out.feature = dropout_(normed);
  out.logits = head_(out.feature).to(torch::kFloat);
}

AdaToskImpl::Output AdaToskImpl::forward(const Tensor& x, const AdaToskPass& pass, Taps* taps) {
  const auto gate = static_cast<std::size_t>(config_.gate);
  Tensor tokens = run_to_gate(embed(x, pass.hard, taps), pass.hard, taps);
  Output out;
  if (pass.soft && mask_) apply_mask(tokens, pass.hard, out);
  Tensor log_mask = out.log_mask;  // of the tokens that go on
  if (taps != nullptr && log_mask.defined()) {
    (*taps)["log_mask"] = log_mask;
    (*taps)["aux_logits"] = out.aux_logits;
  }
  if (slot_positions_.defined()) {
    tokens = tokens + (pass.hard == nullptr ? slot_positions_
                                            : take_tokens(slot_positions_, pass.hard->visible));
  }
  const std::int64_t visible = tokens.size(1);
  const std::int64_t count = pass.soft ? core::kept_tokens(pass.budget, visible) : visible;
  if (pass.soft && pass.keep.defined()) {
    out.kept = pass.keep;
  } else if (count < visible) {
    const Tensor order =
        log_mask.defined() ? log_mask : torch::zeros({tokens.size(0), visible}, tokens.options());
    out.kept = keep_largest(order, count);
  }
  if (out.kept.defined()) {
    tokens = take_tokens(tokens, out.kept);
    if (log_mask.defined()) log_mask = log_mask.gather(1, out.kept);
  }
  for (std::size_t i = gate; i < blocks_.size(); ++i) tokens = run_block(i, tokens, log_mask, taps);
  classify(tokens, log_mask, out, taps);
  if (pass.reconstruct) {
    TORCH_CHECK(reconstruction_ && pass.hard != nullptr && !out.kept.defined(),
                "rebuilding needs the decoder, a hard mask and every visible token");
    out.rebuilt = reconstruction_->forward(norm_(tokens), *pass.hard, taps);
  }
  return out;
}

Tensor keep_largest(const Tensor& log_mask, std::int64_t count) {
  const torch::NoGradGuard no_grad;
  const Tensor order = std::get<1>(log_mask.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
  return std::get<0>(order.narrow(1, 0, count).sort(/*dim=*/1, /*descending=*/false));
}

}  // namespace mien::learn
