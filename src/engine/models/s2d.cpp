#include "engine/models/s2d.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/models/plan_sizes.h"
#include "engine/parallel.h"

namespace mien::engine {

S2DRunner::S2DRunner(std::shared_ptr<const S2DWeights> weights) : weights_(std::move(weights)) {
  const bool temporal = weights_->sizes().temporal;
  workers_.resize(temporal ? 1 : static_cast<std::size_t>(weights_->context->threads()));
}

// `alone`: no other thread works on other frames of this call.
S2DRunner::PassShape S2DRunner::pass_shape(std::size_t frames_left, bool alone, bool tapped) const {
  const S2DWeights& w = *weights_;
  const int threads = w.context->threads();
  PassShape shape;
  if (w.sizes().temporal) {
    shape.frames = static_cast<std::size_t>(w.sizes().num_frames);
    const auto members = std::min(shape.frames, static_cast<std::size_t>(threads));
    if (!tapped && S2DPlan::can_run(members)) shape.members = members;
  } else {
    shape.frames = next_pass(frames_left, frames_per_pass(w.tokens()));
  }
  const double macs = w.macs_per_frame() * static_cast<double>(shape.frames);
  if (alone && shape.members == 1 && worth_sharing(macs)) shape.threads = threads;
  return shape;
}

Status S2DRunner::make_plans(Plans& plans, std::size_t frames, bool alone, bool tapped) {
  for (std::size_t done = 0; done < frames;) {
    const PassShape shape = pass_shape(frames - done, alone, tapped);
    auto& place = plans[shape];
    if (!place) {
      const ThreadScope scope(shape.threads);
      auto made = std::make_unique<S2DPlan>(weights_, shape.frames, shape.members);
      MIEN_TRY(made->allocate());
      place = std::move(made);
    }
    done += shape.frames;
  }
  return {};
}

Status S2DRunner::prepare() {
  return guarded([&]() -> Status { return make_plans(workers_[0], 1, true, false); });
}

Status S2DRunner::run_part(Plans& plans, const S2DInput& input, std::size_t frames, bool alone,
                           float* features, Tap* tap) {
  for (std::size_t done = 0; done < frames;) {
    const PassShape shape = pass_shape(frames - done, alone, tap != nullptr);
    const ThreadScope scope(shape.threads);
    MIEN_TRY(plans.at(shape)->run(input.from_frame(*weights_, done),
                                  features + done * weights_->width(), tap));
    done += shape.frames;
  }
  return {};
}

Status S2DRunner::run(const S2DInput& input, std::size_t frames, float* features, Tap* tap) {
  const S2DWeights& w = *weights_;
  const auto clip = static_cast<std::size_t>(w.sizes().num_frames);
  if (frames == 0 || (w.sizes().temporal && frames != clip)) {
    return make_error(ErrorCode::kInvalidArgument,
                      "a clip has " + std::to_string(frames) + " frames, the model reads " +
                          (w.sizes().temporal ? std::to_string(clip) : "1 or more"));
  }
  return guarded([&]() -> Status {
    const std::size_t parts = tap != nullptr ? 1 : std::min(workers_.size(), frames);
    const bool alone = parts == 1;
    const auto begin = [&](std::size_t part) { return frames * part / parts; };
    for (std::size_t part = 0; part < parts; ++part) {
      MIEN_TRY(make_plans(workers_[part], begin(part + 1) - begin(part), alone, tap != nullptr));
    }
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      const std::size_t first = begin(part);
      status.add(guarded([&]() -> Status {
        return run_part(workers_[part], input.from_frame(w, first), begin(part + 1) - first, alone,
                        features + first * w.width(), tap);
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
