#include "engine/models/adatosk_plan.h"

#include <algorithm>
#include <cmath>

#include "core/adatosk_spec.h"
#include "engine/kernels/row_ops.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

std::int64_t i64(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

core::Shape tap_shape(const MaskShape& shape) {
  return {1, i64(shape.slots), i64(shape.grid), i64(shape.grid)};
}

}  // namespace

AdaToskGate::AdaToskGate(std::shared_ptr<const AdaToskWeights> weights)
    : weights_(std::move(weights)),
      stream_(weights_->context->engine()),
      x_(arena_.reserve_for<float>(weights_->tokens() * weights_->width())),
      flat_(weights_->mask ? 0 : weights_->tokens()) {
  const AdaToskWeights& w = *weights_;
  // Embedding, blocks and mask run one after the other: their buffers share one region.
  const std::size_t region = arena_.mark();
  embedding_ = std::make_unique<AdaToskEmbedding>(w, w.mask_shape().slots, arena_);
  arena_.release(region);
  const VitStackShape shape = w.gate_shape(w.mask_shape().slots);
  stack_ = std::make_unique<VitStack>(*w.context, w.blocks, shape, arena_);
  arena_.release(region);
  if (w.mask) mask_ = std::make_unique<SoftMask>(*w.mask, arena_);
  scratch_ = arena_.reserve_above(std::max(embedding_->scratch_bytes(), stack_->scratch_bytes()));
}

void AdaToskGate::embed(const LayerPass& pass, const ClipInput& clip, float* tokens, Tap* tap) {
  const AdaToskWeights& w = *weights_;
  if (clip.tokens != nullptr) {
    std::copy_n(clip.tokens, w.tokens() * w.width(), tokens);
  } else {
    embedding_->run(pass, clip, tokens);
  }
  put(tap, "patch_embed");
  add_rows(tokens, plain_rows(w.tokens(), w.width()), w.positions.data(), nullptr);
  put(tap, "after_pos_embed");
  stack_->run(pass, tokens, tap);
}

void AdaToskGate::run(const ClipInput& clip, Tap* tap) {
  const AdaToskWeights& w = *weights_;
  const LayerPass pass{&stream_, &arena_, arena_.at(scratch_)};
  auto* x = arena_.at<float>(x_);
  if (clip.tokens != nullptr && w.sizes().slotwise) {
    std::copy_n(clip.tokens, w.tokens() * w.width(), x);
  } else {
    embed(pass, clip, x, tap);
  }
  put(tap, "gate.out");
  if (mask_) mask_->run(arena_, x, tap);
  put_mask(tap);
}

void AdaToskGate::put(Tap* tap, const char* name) const {
  if (tap == nullptr) return;
  const AdaToskWeights& w = *weights_;
  tap->put(name, {tokens(), w.tokens() * w.width()}, {1, i64(w.tokens()), i64(w.width())});
}

void AdaToskGate::put_mask(Tap* tap) const {
  if (tap == nullptr) return;
  std::vector<float> mask;
  for (const float v : log_mask()) mask.push_back(std::exp(v));
  tap->put("mask", mask, tap_shape(weights_->mask_shape()));
}

AdaToskTail::AdaToskTail(std::shared_ptr<const AdaToskWeights> weights, std::size_t kept)
    : weights_(std::move(weights)),
      kept_(kept),
      stream_(weights_->context->engine()),
      x_(arena_.reserve_for<float>(kept * weights_->width())),
      mean_(arena_.reserve_for<float>(weights_->width())),
      order_(weights_->tokens()),
      biases_(kept),
      shares_(kept) {
  const AdaToskWeights& w = *weights_;
  const VitStackShape shape{
      .sizes = w.block_sizes(), .begin = w.gate(), .end = w.blocks.size(), .tokens = kept};
  stack_ = std::make_unique<VitStack>(*w.context, w.blocks, shape, arena_);
  scratch_ = arena_.reserve_above(stack_->scratch_bytes());
}

void AdaToskTail::run(const AdaToskGate& gate, float* feature, Tap* tap) {
  const AdaToskWeights& w = *weights_;
  const std::size_t width = w.width();
  const LayerPass pass{&stream_, &arena_, arena_.at(scratch_)};
  auto* x = arena_.at<float>(x_);
  auto* mean = arena_.at<float>(mean_);
  gather(gate);
  put_kept(tap);
  stack_->run(pass, x, tap, w.mask ? biases_.data() : nullptr);
  // The official VideoMAE has no norm between the last block and the mean.
  relative_weights(biases_, shares_);
  weighted_mean(x, shares_.data(), kept_, width, mean);
  layer_norm(mean, plain_rows(1, width), w.fc_norm.params(), ActKind::kF32, feature);
  if (tap == nullptr) return;
  tap->put("mean_pooled", {mean, width}, {1, i64(width)});
  tap->put("fc_norm", {feature, width}, {1, i64(width)});
}

void AdaToskTail::gather(const AdaToskGate& gate) {
  const AdaToskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::span<const float> log_mask = gate.log_mask();
  core::keep_largest(log_mask, kept_, order_);
  const float* from = gate.tokens();
  auto* to = arena_.at<float>(x_);
  for (std::size_t i = 0; i < kept_; ++i) {
    const auto token = static_cast<std::size_t>(order_[i]);
    biases_[i] = log_mask[token];
    std::copy_n(from + token * width, width, to + i * width);
    if (w.slot_positions.empty()) continue;
    add_rows(to + i * width, plain_rows(1, width),
             w.slot_positions.data() + token / w.mask_shape().places() * width, nullptr);
  }
}

void AdaToskTail::put_kept(Tap* tap) const {
  if (tap == nullptr) return;
  std::vector<float> flags(order_.size());
  for (const std::int32_t token : kept()) flags[static_cast<std::size_t>(token)] = 1.0F;
  tap->put("kept", flags, tap_shape(weights_->mask_shape()));
}

}  // namespace mien::engine
