// S2D over any number of frames or clips.
#pragma once

#include <map>
#include <memory>

#include "engine/models/s2d_plan.h"

namespace mien::engine {

// logits = W mean(features) + b. features: [frames, D]; feature: [D], the mean; logits: [C].
void classify_features(const S2DWeights& weights, const float* features, std::size_t frames,
                       float* feature, float* logits);

// Runs passes with plans kept by size. One thread at a time.
class S2DRunner {
 public:
  explicit S2DRunner(std::shared_ptr<const S2DWeights> weights);

  // Makes the primitives of the usual pass and thereby packs the weights. Errors: kLimit,
  // kInternal.
  Status prepare();

  // Features of `frames` frames: one clip of num_frames in a video model, any number in an image
  // model. features: [frames, D]. The input is trusted to have the sizes of the config. Errors:
  // kInvalidArgument (frames), kLimit, kInternal.
  Status run(const S2DInput& input, std::size_t frames, float* features, Tap* tap);

  const S2DWeights& weights() const { return *weights_; }

 private:
  Result<S2DPlan*> plan(std::size_t frames);

  std::shared_ptr<const S2DWeights> weights_;
  dnnl::stream stream_;
  std::map<std::size_t, std::unique_ptr<S2DPlan>> plans_;
};

}  // namespace mien::engine
