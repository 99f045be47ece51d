// The part of a model that sees each frame, or each tubelet, on its own: pixels -> tokens. Windows
// of a video overlap; what they share is computed once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/context.h"
#include "engine/guard.h"
#include "engine/parallel.h"

namespace mien::engine {

// One caller at a time; parts are shared out among the threads. Worker is one thread's memory for
// one part at a time: made of the weights under ThreadScope, then allocate(), then
// run(rgb, tokens); its static part_bytes(weights) and part_values(weights) are the sizes of what
// goes in (u8) and comes out (f32).
template <typename Worker, typename Weights>
class PartEmbedder {
 public:
  explicit PartEmbedder(std::shared_ptr<const Weights> weights) : weights_(std::move(weights)) {}

  // rgb: u8 [parts, part_bytes]; tokens: f32 [parts, part_values]. Errors: kLimit, kInternal.
  Status run(const std::uint8_t* rgb, std::size_t parts, float* tokens) {
    return guarded([&]() -> Status {
      const auto threads = static_cast<std::size_t>(weights_->context->threads());
      const std::size_t shares = std::clamp<std::size_t>(parts, 1, threads);
      MIEN_TRY(make_workers(shares));
      SharedStatus status;
      parallel_parts(shares, [&](std::size_t share) {
        status.add(guarded([&]() -> Status {
          const ThreadScope scope(1);
          for (std::size_t i = parts * share / shares; i < parts * (share + 1) / shares; ++i) {
            workers_[share]->run(rgb + i * Worker::part_bytes(*weights_),
                                 tokens + i * Worker::part_values(*weights_));
          }
          return {};
        }));
      });
      return status.take();
    });
  }

 private:
  Status make_workers(std::size_t count) {
    const ThreadScope scope(1);
    while (workers_.size() < count) {
      auto worker = std::make_unique<Worker>(weights_);
      MIEN_TRY(worker->allocate());
      workers_.push_back(std::move(worker));
    }
    return {};
  }

  std::shared_ptr<const Weights> weights_;
  std::vector<std::unique_ptr<Worker>> workers_;  // one per thread
};

}  // namespace mien::engine
