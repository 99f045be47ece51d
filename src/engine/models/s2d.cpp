#include "engine/models/s2d.h"

#include "engine/guard.h"
#include "engine/models/plan_sizes.h"

namespace mien::engine {

void classify_features(const S2DWeights& w, const float* features, std::size_t frames,
                       float* feature, float* logits) {
  const std::size_t width = w.width();
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0.0;
    for (std::size_t f = 0; f < frames; ++f) sum += static_cast<double>(features[f * width + i]);
    feature[i] = static_cast<float>(sum / static_cast<double>(frames));
  }
  for (std::size_t c = 0; c < w.classes(); ++c) {
    double sum = static_cast<double>(w.head_bias[c]);
    const float* row = w.head_weight.data() + c * width;
    for (std::size_t i = 0; i < width; ++i) {
      sum += static_cast<double>(row[i]) * static_cast<double>(feature[i]);
    }
    logits[c] = static_cast<float>(sum);
  }
}

S2DRunner::S2DRunner(std::shared_ptr<const S2DWeights> weights)
    : weights_(std::move(weights)), stream_(weights_->context->engine()) {}

Result<S2DPlan*> S2DRunner::plan(std::size_t frames) {
  auto& place = plans_[frames];
  if (!place) {
    auto made = std::make_unique<S2DPlan>(weights_, frames);
    MIEN_TRY(made->allocate());
    place = std::move(made);
  }
  return place.get();
}

Status S2DRunner::prepare() {
  return guarded([&]() -> Status {
    const ThreadScope threads(weights_->context->threads());
    const core::S2DConfig& c = weights_->sizes();
    MIEN_TRY(plan(c.temporal ? static_cast<std::size_t>(c.num_frames) : 1));
    return {};
  });
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
    const ThreadScope threads(w.context->threads());
    const std::size_t most = w.sizes().temporal ? clip : frames_per_pass(w.tokens());
    const std::size_t pixels = w.side() * w.side();
    const std::size_t map = w.patches() * static_cast<std::size_t>(w.sizes().in_chans_l);
    for (std::size_t done = 0; done < frames;) {
      const std::size_t now = w.sizes().temporal ? clip : next_pass(frames - done, most);
      MIEN_ASSIGN(S2DPlan * made, plan(now));
      S2DInput part = input;
      if (part.rgb != nullptr) part.rgb += done * pixels * 3;
      if (part.planar != nullptr) part.planar += done * pixels;
      if (part.map != nullptr) part.map += done * map;
      made->run(stream_, part, features + done * w.width(), tap);
      done += now;
    }
    return {};
  });
}

}  // namespace mien::engine
