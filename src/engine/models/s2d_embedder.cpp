#include "engine/models/s2d_embedder.h"

#include <utility>

namespace mien::engine {

std::size_t s2d_frame_values(const S2DWeights& weights) {
  return 2 * weights.patches() * weights.width();
}

S2DFrameWorker::S2DFrameWorker(std::shared_ptr<const S2DWeights> weights)
    : weights_(std::move(weights)),
      stream_(weights_->context->engine()),
      input_(*weights_, 1, arena_),
      scratch_(arena_.reserve_above(input_.scratch_bytes())) {}

void S2DFrameWorker::run(const std::uint8_t* rgb, float* tokens) {
  const Pass pass{{&stream_, &arena_, arena_.at(scratch_)}, nullptr, nullptr, 0};
  const S2DInput input{.rgb = rgb};
  input_.run(pass, input, tokens, tokens + s2d_frame_values(*weights_) / 2);
}

}  // namespace mien::engine
