#include "engine/models/adatosk_embedder.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/models/adatosk_embedding.h"
#include "engine/parallel.h"

namespace mien::engine {

// One thread's memory for one slot at a time.
class AdaToskEmbedder::Worker {
 public:
  explicit Worker(std::shared_ptr<const AdaToskWeights> weights)
      : weights_(std::move(weights)),
        stream_(weights_->context->engine()),
        embedding_(*weights_, 1, arena_),
        scratch_(arena_.reserve_above(embedding_.scratch_bytes())) {}

  Status allocate() { return arena_.allocate(); }

  void run(const std::uint8_t* rgb, float* tokens) {
    embedding_.run({&stream_, &arena_, arena_.at(scratch_)}, {.rgb = rgb}, tokens);
  }

 private:
  std::shared_ptr<const AdaToskWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  AdaToskEmbedding embedding_;
  Slot scratch_;
};

AdaToskEmbedder::AdaToskEmbedder(std::shared_ptr<const AdaToskWeights> weights)
    : weights_(std::move(weights)) {}

Status AdaToskEmbedder::run(const std::uint8_t* rgb, std::size_t slots, float* tokens) {
  const AdaToskWeights& w = *weights_;
  return guarded([&]() -> Status {
    const auto threads = static_cast<std::size_t>(w.context->threads());
    const std::size_t parts = std::max<std::size_t>(1, std::min(threads, slots));
    while (workers_.size() < parts) {
      const ThreadScope scope(1);
      auto worker = std::make_shared<Worker>(weights_);
      MIEN_TRY(worker->allocate());
      workers_.push_back(std::move(worker));
    }
    const TubeletSizes sizes = w.clip_sizes();
    const std::size_t pixels = sizes.tubelet * sizes.side * sizes.side * 3;
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      status.add(guarded([&]() -> Status {
        const ThreadScope scope(1);
        for (std::size_t s = slots * part / parts; s < slots * (part + 1) / parts; ++s) {
          workers_[part]->run(rgb + s * pixels, tokens + s * w.slot_values());
        }
        return {};
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
