#include "engine/models/adatosk_embedder.h"

#include <algorithm>
#include <utility>

#include "engine/kernels/row_ops.h"

namespace mien::engine {

AdaToskSlotWorker::AdaToskSlotWorker(std::shared_ptr<const AdaToskWeights> weights)
    : weights_(std::move(weights)), stream_(weights_->context->engine()) {
  const AdaToskWeights& w = *weights_;
  const std::size_t region = arena_.mark();
  embedding_ = std::make_unique<AdaToskEmbedding>(w, 1, arena_);
  std::size_t scratch = embedding_->scratch_bytes();
  if (w.sizes().slotwise) {
    arena_.release(region);
    stack_ = std::make_unique<VitStack>(*w.context, w.blocks, w.gate_shape(1), arena_);
    scratch = std::max(scratch, stack_->scratch_bytes());
  }
  scratch_ = arena_.reserve_above(scratch);
}

void AdaToskSlotWorker::run(const std::uint8_t* rgb, float* tokens) {
  const AdaToskWeights& w = *weights_;
  const LayerPass pass{&stream_, &arena_, arena_.at(scratch_)};
  embedding_->run(pass, {.rgb = rgb}, tokens);
  if (!stack_) return;
  add_rows(tokens, plain_rows(w.mask_shape().places(), w.width()), w.positions.data(), nullptr);
  stack_->run(pass, tokens, nullptr);
}

std::size_t AdaToskSlotWorker::part_bytes(const AdaToskWeights& weights) {
  const TubeletSizes sizes = weights.clip_sizes();
  return sizes.tubelet * sizes.side * sizes.side * 3;
}

}  // namespace mien::engine
