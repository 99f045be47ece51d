#include "learn/models/soft_mask.h"

#include <cmath>

#include "core/adatosk_spec.h"
#include "core/s2d_spec.h"
#include "learn/autocast.h"
#include "learn/models/micro_batch.h"

namespace mien::learn {

using torch::Tensor;

namespace {

// Where the parameters begin. softplus(scale) 2 and 1: standardised measures become sigmoids that
// tell tokens apart and still learn. offset 0.5: somewhat more than half is kept at first. repeat:
// what the clip has shown before counts as much as what changes, while the class may be said again,
// since an expression lasts. sharpness 10: cosines of some tenths become profiles.
constexpr double kAgnosticScale = 2.0;
constexpr double kSemanticScale = 1.0;
constexpr double kOffset = 0.5;
constexpr double kAgnosticRepeat = 1.0;
constexpr double kSemanticRepeat = 0.02;
constexpr double kSharpness = 10.0;

constexpr double kSlotMeanMomentum = 0.05;

// Added to the logit of a class that is left out: nothing is left of it.
constexpr double kLeftOut = -1e9;

Tensor raised_to(double value) {  // softplus(x) = value
  return torch::full({1}, std::log(std::expm1(value)));
}

// a.b / max(|a| |b|, floor) along the last dimension.
Tensor cosine(const Tensor& a, const Tensor& b) {
  const Tensor norms = a.norm(2, -1, false) * b.norm(2, -1, false);
  return (a * b).sum(-1) / norms.clamp_min(core::kMaskNormFloor);
}

// The same of every row of a with every row of b: [..., N, D] and [..., M, D] -> [..., N, M].
Tensor cosines(const Tensor& a, const Tensor& b) {
  const Tensor norms = a.norm(2, -1, true) * b.norm(2, -1, true).transpose(-2, -1);
  return a.matmul(b.transpose(-2, -1)) / norms.clamp_min(core::kMaskNormFloor);
}

// Rows [B, K], standardised over the entries whose `counts` is 1 (of 0 and 1).
Tensor standardised(const Tensor& x, const Tensor& counts) {
  const Tensor number = counts.sum(1, true).clamp_min(1.0);
  const Tensor centred = x - (x * counts).sum(1, true) / number;
  const Tensor variance = (centred.square() * counts).sum(1, true) / number;
  return centred / (variance + core::kMaskStdFloor * core::kMaskStdFloor).sqrt();
}

}  // namespace

// One batch, measured. S slots of P places; everything f32.
struct SoftMaskImpl::Clip {
  Tensor normed;   // zn [B, S, P, D]
  Tensor tokens;   // y [B, S, P, D]
  Tensor shown;    // n [B, S, P, D]
  Tensor there;    // v [B, S, P], 0 or 1
  Tensor present;  // [B, S], 1 where a slot is not empty
  Tensor shares;   // [B, S], of each slot in a mean over those that are not empty
  Tensor mean;     // M [B, S, D]
  Tensor moved;    // h [B, S, P, D]
  Tensor before;   // [B, S, S]: 1 where slot u (last) comes before slot s and is not empty
  Tensor follows;  // [B, S] bool: the slot is not empty and something came before it

  Tensor flat(const Tensor& x) const { return x.flatten(1, 2); }  // [B, S, P] -> [B, S * P]

  // `value` [B, S] where a slot follows another; elsewhere the mean of those that do, or 0.
  Tensor with_first(const Tensor& value) const {
    const Tensor counts = follows.to(torch::kFloat);
    const Tensor mean_of_others =
        (value * counts).sum(1, true) / counts.sum(1, true).clamp_min(1.0);
    return torch::where(follows, value, mean_of_others.expand_as(value));
  }
};

SoftMaskImpl::SoftMaskImpl(const core::AdaToskConfig& config) : config_(config) {
  const core::VideoMaeConfig& c = config.vit;
  norm_ = register_module("norm", LayerNorm(c.embed_dim, core::kVitNormEps));
  slot_mean_ = register_buffer("slot_mean", torch::zeros({c.slots(), c.embed_dim}));
  if (config.agnostic) {
    agnostic_ = add_factor("agnostic", kAgnosticScale, kAgnosticRepeat);
    if (config.agnostic_hidden > 0) {  // from nothing: at first change alone counts
      hidden_ =
          agnostic_.module->register_module("hidden", Linear(c.embed_dim, config.agnostic_hidden));
      readout_ =
          agnostic_.module->register_parameter("readout", torch::zeros({config.agnostic_hidden}));
    }
  }
  if (config.semantic) {
    semantic_ = add_factor("semantic", kSemanticScale, kSemanticRepeat);
    sharpness_ = semantic_.module->register_parameter("sharpness", raised_to(kSharpness));
  }
}

SoftMaskImpl::Factor SoftMaskImpl::add_factor(const char* name, double scale, double repeat) {
  Factor factor;
  factor.module = register_module(name, std::make_shared<torch::nn::Module>(std::string(name)));
  factor.scale = factor.module->register_parameter("scale", raised_to(scale));
  factor.offset = factor.module->register_parameter("offset", torch::full({1}, kOffset));
  factor.repeat = factor.module->register_parameter("repeat", raised_to(repeat));
  return factor;
}

SoftMaskImpl::Clip SoftMaskImpl::look_at(const Tensor& tokens, const Tensor& there) {
  const std::int64_t slots = config_.vit.slots();
  const std::int64_t places = static_cast<std::int64_t>(config_.vit.grid()) * config_.vit.grid();
  const std::int64_t clips = tokens.size(0);
  Clip clip;
  clip.normed = norm_(tokens).reshape({clips, slots, places, -1});
  clip.tokens = clip.normed - slot_mean_.view({1, slots, 1, -1});
  const auto options = clip.normed.options();
  clip.there = there.defined() ? there.to(torch::kFloat).reshape({clips, slots, places})
                               : torch::ones({clips, slots, places}, options);
  const Tensor number = clip.there.sum(2);
  clip.present = number.gt(0.0).to(torch::kFloat);
  clip.mean = (clip.tokens * clip.there.unsqueeze(3)).sum(2) / number.clamp_min(1.0).unsqueeze(2);
  clip.shown = torch::where(clip.there.gt(0.0).unsqueeze(3), clip.tokens,
                            clip.mean.unsqueeze(2).expand_as(clip.tokens));
  clip.shares = clip.present / clip.present.sum(1, true);
  clip.moved = clip.tokens - (clip.shown * clip.shares.unsqueeze(2).unsqueeze(3)).sum(1, true);
  clip.before = torch::ones({slots, slots}, options).tril(-1) * clip.present.unsqueeze(1);
  clip.follows = clip.before.sum(2).gt(0.0).logical_and(clip.present.gt(0.0));
  return clip;
}

// Gradients pass it by, as they do BatchNorm's running statistics.
void SoftMaskImpl::remember(const Clip& clip) {
  const torch::NoGradGuard no_grad;
  const Tensor number = clip.there.sum(0).sum(1);  // [S]
  const Tensor mean =
      (clip.normed * clip.there.unsqueeze(3)).sum(0).sum(1) / number.clamp_min(1.0).unsqueeze(1);
  const Tensor step = number.gt(0.0).to(torch::kFloat).unsqueeze(1) * kSlotMeanMomentum;
  MicroBatchScope::update_state([slot_mean = slot_mean_, mean, step] {
    const torch::NoGradGuard without;
    slot_mean.add_((mean - slot_mean) * step);
  });
}

Tensor SoftMaskImpl::log_factor(const Factor& factor, const Tensor& measured, const Clip& clip) {
  const Tensor x = standardised(clip.flat(measured), clip.flat(clip.there));
  return torch::log_sigmoid(torch::softplus(factor.scale) * x + factor.offset);
}

// c of the specification.
Tensor SoftMaskImpl::change(const Clip& clip) {
  const std::int64_t last = clip.there.size(1) - 1;
  if (last == 0) return torch::zeros_like(clip.there);
  const auto change_to = [&](std::int64_t own, std::int64_t other) {
    const Tensor differs =
        (1.0 - cosine(clip.tokens.narrow(1, own, last), clip.shown.narrow(1, other, last))) * 0.5;
    return differs * clip.present.narrow(1, other, last).unsqueeze(2);
  };
  const Tensor to_next = torch::constant_pad_nd(change_to(0, 1), {0, 0, 0, 1});
  const Tensor to_last = torch::constant_pad_nd(change_to(1, 0), {0, 0, 1, 0});
  const Tensor neighbours = torch::constant_pad_nd(clip.present.narrow(1, 1, last), {0, 1}) +
                            torch::constant_pad_nd(clip.present.narrow(1, 0, last), {1, 0});
  return (to_next + to_last) / neighbours.clamp_min(1.0).unsqueeze(2);
}

// R of the specification.
Tensor SoftMaskImpl::resemblance(const Clip& clip) {
  const Tensor share = clip.before / clip.before.sum(2, true).clamp_min(1.0);  // [B, S, S]
  const Tensor past = share.matmul(clip.shown.flatten(2)).view(clip.shown.sizes());
  const Tensor alike = cosine(clip.tokens, past);
  return torch::where(clip.follows.unsqueeze(2), alike, torch::ones_like(alike));
}

// r_s,p of the specification, less its mean over the slots: [B, S, P].
Tensor SoftMaskImpl::lasting(const Clip& clip) {
  const Tensor one = torch::relu(hidden_(clip.shown)).matmul(readout_);
  const std::int64_t slots = one.size(1);
  const Tensor all = torch::ones({slots, slots}, one.options());
  const Tensor near = all.triu(-1).tril(1) + torch::eye(slots, one.options());
  const Tensor weights = near * clip.present.unsqueeze(1);  // [B, S, S]
  const Tensor r = (weights / weights.sum(2, true).clamp_min(1.0)).matmul(one);
  return r - (r * clip.shares.unsqueeze(2)).sum(1, true);
}

// a of the specification.
Tensor SoftMaskImpl::measure_agnostic(const Clip& clip) {
  const Tensor a = change(clip) - torch::softplus(agnostic_.repeat) * resemblance(clip);
  return hidden_.is_empty() ? a : a + lasting(clip);
}

// h.w_c over their lengths, of the specification: [B, S, P, C].
Tensor SoftMaskImpl::towards(const Clip& clip, const Tensor& prototypes) {
  const Tensor lengths =
      torch::max(clip.moved.norm(2, -1, true), core::kMaskStill * clip.tokens.norm(2, -1, true));
  return clip.moved.matmul(prototypes.t()) /
         (lengths * prototypes.norm(2, -1, false)).clamp_min(core::kMaskNormFloor);
}

// b of the specification.
Tensor SoftMaskImpl::measure_semantic(const Clip& clip, const Tensor& aux_logits,
                                      const Tensor& class_weights) const {
  const Tensor prototypes = class_weights - class_weights.mean(0, true);  // [C, D]
  Tensor logits = aux_logits;
  if (config_.background >= 0) {
    Tensor without = torch::zeros_like(aux_logits);
    without.select(1, config_.background).fill_(kLeftOut);
    logits = aux_logits + without;
  }
  const Tensor belief = logits.softmax(1).unsqueeze(1).unsqueeze(3);  // [B, 1, C, 1]
  const Tensor relevance = towards(clip, prototypes).matmul(belief).squeeze(3);
  const Tensor profile = (torch::softplus(sharpness_) * cosines(clip.mean, prototypes)).softmax(2);
  const Tensor of_slot = (relevance * clip.there).sum(2) / clip.there.sum(2).clamp_min(1.0);
  const Tensor keep = torch::sigmoid(standardised(of_slot, clip.present));  // k [B, S]
  const Tensor weights = clip.before * keep.unsqueeze(1);                   // [B, S, S]
  // Between 0 and 1, and no less than a sigmoid of -sqrt(S) where there is any.
  const Tensor total = weights.sum(2, true).clamp_min(1e-6);
  const Tensor redundancy = cosine(profile, weights.matmul(profile) / total);
  return relevance - torch::softplus(semantic_.repeat) * clip.with_first(redundancy).unsqueeze(2);
}

SoftMaskImpl::Output SoftMaskImpl::forward(const Tensor& tokens, const Tensor& there,
                                           const Linear& aux_head) {
  const AutocastOverride exact(tokens.device(), false);
  const Clip clip = look_at(tokens, there);
  Output out;
  if (config_.agnostic) out.agnostic = log_factor(agnostic_, measure_agnostic(clip), clip);
  Tensor weights = clip.there.flatten(1, 2);  // g
  if (out.agnostic.defined()) weights = weights * out.agnostic.exp();
  weights = weights / weights.sum(1, true);
  const Tensor pooled = weights.unsqueeze(1).matmul(clip.normed.flatten(1, 2)).squeeze(1);
  out.aux_logits = torch::linear(pooled, aux_head->weight, aux_head->bias);
  if (config_.semantic) {
    const Tensor measured = measure_semantic(clip, out.aux_logits, aux_head->weight);
    out.semantic = log_factor(semantic_, measured, clip);
  }
  if (!out.agnostic.defined()) {
    out.log_mask = out.semantic;
  } else {
    out.log_mask = out.semantic.defined() ? out.agnostic + out.semantic : out.agnostic;
  }
  if (is_training()) remember(clip);
  return out;
}

}  // namespace mien::learn
