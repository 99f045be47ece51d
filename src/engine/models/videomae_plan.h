// One pass of VideoMAE over one clip.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/tubelet_embedding.h"
#include "engine/models/videomae_weights.h"
#include "engine/models/vit_stack.h"
#include "engine/tap.h"

namespace mien::engine {

// One caller at a time.
class VideoMaePlan {
 public:
  // Construct under the ThreadScope of run(); throws dnnl::error and std::bad_alloc.
  explicit VideoMaePlan(std::shared_ptr<const VideoMaeWeights> weights);

  // Before the first run. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  // feature: [D], the mean token after fc_norm. Under ThreadScope; throws dnnl::error. `tap` may be
  // null; it is given the activations of the clip, each with a first axis of 1.
  void run(const ClipInput& clip, float* feature, Tap* tap);

 private:
  void put(Tap* tap, const char* name, const float* tokens) const;
  void pool(float* feature, Tap* tap);

  std::shared_ptr<const VideoMaeWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  Slot x_;     // tokens, f32 [N, D]
  Slot mean_;  // f32 [D]
  std::unique_ptr<TubeletEmbedding> embedding_;
  std::unique_ptr<VitStack> stack_;
  Slot scratch_;
  std::vector<double> sums_;  // of the tokens, [D]
};

}  // namespace mien::engine
