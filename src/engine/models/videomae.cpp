#include "engine/models/videomae.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/models/plan_sizes.h"
#include "engine/parallel.h"

namespace mien::engine {

VideoMaeRunner::VideoMaeRunner(std::shared_ptr<const VideoMaeWeights> weights)
    : weights_(std::move(weights)) {
  const int threads = weights_->context->threads();
  const bool shared = worth_sharing(weights_->macs_per_clip());
  layer_threads_ = shared ? threads : 1;
  plans_.resize(shared ? 1 : static_cast<std::size_t>(threads));
}

Status VideoMaeRunner::make_plans(std::size_t count) {
  const ThreadScope scope(layer_threads_);
  for (std::size_t i = 0; i < count; ++i) {
    if (plans_[i]) continue;
    auto made = std::make_unique<VideoMaePlan>(weights_);
    MIEN_TRY(made->allocate());
    plans_[i] = std::move(made);
  }
  return {};
}

Status VideoMaeRunner::prepare() {
  return guarded([&]() -> Status { return make_plans(1); });
}

Status VideoMaeRunner::run(const ClipInput& input, std::size_t clips, float* features, Tap* tap) {
  const TubeletSizes sizes = weights_->clip_sizes();
  const std::size_t width = weights_->width();
  return guarded([&]() -> Status {
    const std::size_t parts = tap != nullptr ? 1 : std::clamp<std::size_t>(clips, 1, plans_.size());
    MIEN_TRY(make_plans(parts));
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      status.add(guarded([&]() -> Status {
        const ThreadScope scope(layer_threads_);
        for (std::size_t i = clips * part / parts; i < clips * (part + 1) / parts; ++i) {
          plans_[part]->run(input.from_clip(sizes, i), features + i * width, tap);
        }
        return {};
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
