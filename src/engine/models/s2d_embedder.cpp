#include "engine/models/s2d_embedder.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/parallel.h"

namespace mien::engine {

// One thread's memory for one frame at a time.
class S2DEmbedder::Worker {
 public:
  explicit Worker(std::shared_ptr<const S2DWeights> weights)
      : weights_(std::move(weights)),
        stream_(weights_->context->engine()),
        input_(*weights_, 1, arena_),
        scratch_(arena_.reserve_above(input_.scratch_bytes())) {}

  Status allocate() { return arena_.allocate(); }

  void run(const std::uint8_t* rgb, float* tokens) {
    const Pass pass{{&stream_, &arena_, arena_.at(scratch_)}, nullptr, nullptr, 0};
    const S2DInput input{.rgb = rgb};
    input_.run(pass, input, tokens, tokens + s2d_frame_values(*weights_) / 2);
  }

 private:
  std::shared_ptr<const S2DWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  S2DInputPart input_;
  Slot scratch_;
};

std::size_t s2d_frame_values(const S2DWeights& weights) {
  return 2 * weights.patches() * weights.width();
}

S2DEmbedder::S2DEmbedder(std::shared_ptr<const S2DWeights> weights)
    : weights_(std::move(weights)) {}

Status S2DEmbedder::run(const std::uint8_t* rgb, std::size_t frames, float* tokens) {
  const S2DWeights& w = *weights_;
  return guarded([&]() -> Status {
    const auto threads = static_cast<std::size_t>(w.context->threads());
    const std::size_t parts = std::max<std::size_t>(1, std::min(threads, frames));
    while (workers_.size() < parts) {
      const ThreadScope scope(1);
      auto worker = std::make_shared<Worker>(weights_);
      MIEN_TRY(worker->allocate());
      workers_.push_back(std::move(worker));
    }
    const std::size_t picture = w.side() * w.side() * 3;
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      status.add(guarded([&]() -> Status {
        const ThreadScope scope(1);
        for (std::size_t f = frames * part / parts; f < frames * (part + 1) / parts; ++f) {
          workers_[part]->run(rgb + f * picture, tokens + f * s2d_frame_values(w));
        }
        return {};
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
