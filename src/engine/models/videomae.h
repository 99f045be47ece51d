// VideoMAE's fine-tuned ViT over any number of clips.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/videomae_plan.h"

namespace mien::engine {

// All threads work on one clip layer by layer where that is worth it; clips of smaller models are
// shared out among the threads. One caller at a time.
class VideoMaeRunner {
 public:
  explicit VideoMaeRunner(std::shared_ptr<const VideoMaeWeights> weights);

  // Makes the primitives of one clip and thereby packs the weights. Errors: kLimit, kInternal.
  Status prepare();

  // features: [clips, D], see VideoMaePlan. The input is trusted to have the sizes of the config.
  // With a tap the clips are run one after the other. Errors: kLimit, kInternal.
  Status run(const ClipInput& input, std::size_t clips, float* features, Tap* tap);

  const VideoMaeWeights& weights() const { return *weights_; }

 private:
  Status make_plans(std::size_t count);

  std::shared_ptr<const VideoMaeWeights> weights_;
  int layer_threads_ = 1;                             // that work on one clip
  std::vector<std::unique_ptr<VideoMaePlan>> plans_;  // one per thread that has clips of its own
};

}  // namespace mien::engine
