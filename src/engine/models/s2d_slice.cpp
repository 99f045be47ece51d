#include "engine/models/s2d_slice.h"

#include <algorithm>

#include "engine/models/plan_sizes.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

constexpr std::size_t kInputChunk = 4;  // pictures at a time: their maps must fit in the cache

std::int64_t i64(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

}  // namespace

S2DSlice::S2DSlice(std::shared_ptr<const S2DWeights> weights, std::size_t frames,
                   std::size_t first_frame, TimeTeam* team, std::size_t member)
    : weights_(std::move(weights)),
      frames_(frames),
      first_frame_(first_frame),
      team_(team),
      member_(member),
      stream_(weights_->context->engine()) {
  const S2DWeights& w = *weights_;
  x_ = arena_.reserve_for<float>(frames * w.tokens() * w.width());
  map_ = arena_.reserve_for<float>(frames * w.patches() * w.width());
  patches_ = arena_.reserve_for<float>(frames * w.patches() * w.width());
  // Input, prompts and blocks run one after the other: their buffers share one region.
  const std::size_t region = arena_.mark();
  input_ = std::make_unique<S2DInputPart>(w, largest_divisor(frames, kInputChunk), arena_);
  arena_.release(region);
  prompt_buffers_ = std::make_unique<PromptBuffers>(w, frames, first_frame, team, arena_);
  arena_.release(region);
  const std::size_t chunk = largest_divisor(frames, kGoodRows / w.tokens());
  block_buffers_ =
      std::make_unique<VitBuffers>(*w.context, w.block_sizes(), chunk, w.tokens(), arena_);
  std::size_t scratch = input_->scratch_bytes();
  for (std::size_t i = 0; i < w.prompts.size(); ++i) {
    scratch = std::max(scratch, prompts_.emplace_back(w, i, *prompt_buffers_).scratch_bytes());
  }
  for (const VitBlockWeights& block : w.blocks) {
    scratch = std::max(scratch, blocks_.emplace_back(block, *block_buffers_).scratch_bytes());
  }
  scratch_ = arena_.reserve_above(scratch);
}

RowBlocks S2DSlice::patch_rows() const {
  const S2DWeights& w = *weights_;
  return {frames_, w.patches(), w.width(), w.tokens() * w.width()};
}

float* S2DSlice::patches_of_x() const {
  return arena_.at<float>(x_) + weights_->width();
}

void S2DSlice::run(const S2DInput& input, float* features, Tap* tap) {
  const S2DWeights& w = *weights_;
  const Pass pass{{&stream_, &arena_, arena_.at(scratch_)}, tap, team_, member_};
  run_input(pass, input);
  run_prompt(pass, 0);
  assemble(tap == nullptr);
  if (tap != nullptr) {
    tap_tokens(pass, "after_pos_embed.f0", false);
    assemble(true);
  }
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (i > 0 && i < prompts_.size()) run_prompt(pass, i);
    run_block(pass, i);
  }
  // Only the class tokens go on: rows 0 of the frames.
  const RowBlocks cls{frames_, 1, w.width(), w.tokens() * w.width()};
  layer_norm(arena_.at<float>(x_), cls, w.ln_post.params(), ActKind::kF32, features);
  if (tap != nullptr) {
    tap->put("cls_per_frame", {features, frames_ * w.width()}, {i64(frames_), i64(w.width())});
  }
}

void S2DSlice::run_input(const Pass& pass, const S2DInput& input) {
  const S2DWeights& w = *weights_;
  const std::size_t size = w.patches() * w.width();
  if (input.tokens != nullptr) {
    for (std::size_t f = 0; f < frames_; ++f) {
      const float* frame = input.tokens + f * 2 * size;
      std::copy_n(frame, size, arena_.at<float>(patches_) + f * size);
      std::copy_n(frame + size, size, arena_.at<float>(map_) + f * size);
    }
    return;
  }
  for (std::size_t f = 0; f < frames_; f += input_->chunk()) {
    Pass inner = pass;
    if (f > 0) inner.tap = nullptr;
    input_->run(inner, input.from_frame(w, f), arena_.at<float>(patches_) + f * size,
                arena_.at<float>(map_) + f * size);
  }
  if (pass.tap == nullptr) return;
  const core::Shape shape = {i64(w.patches()), i64(w.width())};
  pass.tap->put("patch_embed.f0", {arena_.at<float>(patches_), size}, shape);
  pass.tap->put("prompt_patch_embed.f0", {arena_.at<float>(map_), size}, shape);
}

// x = [class token; patches] + position (+ time): one vector of each per frame or token.
void S2DSlice::assemble(bool with_time) {
  const S2DWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t tokens = w.tokens();
  const auto* patches = arena_.at<float>(patches_);
  auto* x = arena_.at<float>(x_);
  parallel_ranges(frames_ * tokens, 64, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t frame = row / tokens;
      const std::size_t token = row % tokens;
      const float* from =
          token == 0 ? w.cls_token.data() : patches + (frame * w.patches() + token - 1) * width;
      const float* place = w.pos_embed.data() + token * width;
      float* to = x + row * width;
      for (std::size_t i = 0; i < width; ++i) to[i] = from[i] + place[i];
      if (!with_time || w.temporal_embedding.empty()) continue;
      const float* time = w.temporal_embedding.data() + (first_frame_ + frame) * width;
      for (std::size_t i = 0; i < width; ++i) to[i] += time[i];
    }
  });
}

// x <- x + m + s on the patch tokens. The first prompt works before the class token joins.
void S2DSlice::run_prompt(const Pass& pass, std::size_t index) {
  const S2DWeights& w = *weights_;
  const bool first = index == 0;
  float* x = first ? arena_.at<float>(patches_) : patches_of_x();
  const RowBlocks rows = first ? plain_rows(frames_ * w.patches(), w.width()) : patch_rows();
  auto* map = arena_.at<float>(map_);
  const float* temporal = prompts_[index].run(pass, x, rows, map);
  add_rows(x, rows, map, temporal);
}

void S2DSlice::run_block(const Pass& pass, std::size_t index) {
  const std::string name = pass.tap == nullptr ? std::string() : "block" + std::to_string(index);
  if (pass.tap != nullptr) tap_tokens(pass, name + ".in.f0", false);
  const std::size_t size = weights_->tokens() * weights_->width();
  for (std::size_t f = 0; f < frames_; f += block_buffers_->attention.sequences) {
    blocks_[index].run(pass, arena_.at<float>(x_) + f * size);
  }
  if (pass.tap == nullptr) return;
  tap_tokens(pass, name + ".out.f0", false);
  if (index + 1 == blocks_.size()) tap_tokens(pass, name + ".out", true);
}

void S2DSlice::tap_tokens(const Pass& pass, const std::string& name, bool all_frames) const {
  const S2DWeights& w = *weights_;
  const std::size_t size = w.tokens() * w.width();
  core::Shape shape = {i64(w.tokens()), i64(w.width())};
  if (all_frames) shape.insert(shape.begin(), i64(frames_));
  pass.tap->put(name, {arena_.at<float>(x_), size * (all_frames ? frames_ : 1)}, shape);
}

}  // namespace mien::engine
