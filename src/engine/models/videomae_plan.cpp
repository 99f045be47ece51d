#include "engine/models/videomae_plan.h"

#include <algorithm>

namespace mien::engine {
namespace {

std::int64_t i64(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

}  // namespace

VideoMaePlan::VideoMaePlan(std::shared_ptr<const VideoMaeWeights> weights)
    : weights_(std::move(weights)),
      stream_(weights_->context->engine()),
      x_(arena_.reserve_for<float>(weights_->tokens() * weights_->width())),
      mean_(arena_.reserve_for<float>(weights_->width())),
      sums_(weights_->width()) {
  const VideoMaeWeights& w = *weights_;
  // The embedding and the blocks run one after the other: their buffers share one region.
  const std::size_t region = arena_.mark();
  embedding_ =
      std::make_unique<TubeletEmbedding>(w.clip_sizes(), w.config.input, w.patch_proj, arena_);
  arena_.release(region);
  const VitStackShape shape{
      .sizes = w.block_sizes(), .begin = 0, .end = w.blocks.size(), .tokens = w.tokens()};
  stack_ = std::make_unique<VitStack>(*w.context, w.blocks, shape, arena_);
  scratch_ = arena_.reserve_above(std::max(embedding_->scratch_bytes(), stack_->scratch_bytes()));
}

void VideoMaePlan::run(const ClipInput& clip, float* feature, Tap* tap) {
  const VideoMaeWeights& w = *weights_;
  const LayerPass pass{&stream_, &arena_, arena_.at(scratch_)};
  auto* x = arena_.at<float>(x_);
  embedding_->run(pass, clip, x);
  put(tap, "patch_embed", x);
  add_rows(x, plain_rows(w.tokens(), w.width()), w.positions.data(), nullptr);
  put(tap, "after_pos_embed", x);
  stack_->run(pass, x, tap);
  pool(feature, tap);
}

void VideoMaePlan::put(Tap* tap, const char* name, const float* tokens) const {
  if (tap == nullptr) return;
  const VideoMaeWeights& w = *weights_;
  tap->put(name, {tokens, w.tokens() * w.width()}, {1, i64(w.tokens()), i64(w.width())});
}

// The official code has no norm between the last block and the mean.
void VideoMaePlan::pool(float* feature, Tap* tap) {
  const VideoMaeWeights& w = *weights_;
  const std::size_t width = w.width();
  const auto* x = arena_.at<float>(x_);
  auto* mean = arena_.at<float>(mean_);
  std::fill(sums_.begin(), sums_.end(), 0.0);
  for (std::size_t t = 0; t < w.tokens(); ++t) {
    for (std::size_t i = 0; i < width; ++i) sums_[i] += static_cast<double>(x[t * width + i]);
  }
  for (std::size_t i = 0; i < width; ++i) {
    mean[i] = static_cast<float>(sums_[i] / static_cast<double>(w.tokens()));
  }
  layer_norm(mean, plain_rows(1, width), w.fc_norm.params(), ActKind::kF32, feature);
  if (tap == nullptr) return;
  tap->put("mean_pooled", {mean, width}, {1, i64(width)});
  tap->put("fc_norm", {feature, width}, {1, i64(width)});
}

}  // namespace mien::engine
