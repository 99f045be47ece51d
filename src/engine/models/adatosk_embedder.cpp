#include "engine/models/adatosk_embedder.h"

#include <utility>

namespace mien::engine {

AdaToskSlotWorker::AdaToskSlotWorker(std::shared_ptr<const AdaToskWeights> weights)
    : weights_(std::move(weights)),
      stream_(weights_->context->engine()),
      embedding_(*weights_, 1, arena_),
      scratch_(arena_.reserve_above(embedding_.scratch_bytes())) {}

void AdaToskSlotWorker::run(const std::uint8_t* rgb, float* tokens) {
  embedding_.run({&stream_, &arena_, arena_.at(scratch_)}, {.rgb = rgb}, tokens);
}

std::size_t AdaToskSlotWorker::part_bytes(const AdaToskWeights& weights) {
  const TubeletSizes sizes = weights.clip_sizes();
  return sizes.tubelet * sizes.side * sizes.side * 3;
}

}  // namespace mien::engine
