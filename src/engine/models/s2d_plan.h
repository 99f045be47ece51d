// One pass of S2D over a fixed number of frames.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/s2d_slice.h"

namespace mien::engine {

// A clip of a video model, its frames shared out among `members` threads that meet twice per
// prompt; or frames of an image model (one member). One caller at a time.
class S2DPlan {
 public:
  // Construct under ThreadScope(1) when there are several members, else under the scope of run().
  // Throws dnnl::error and std::bad_alloc. `members` is at most `frames`.
  S2DPlan(std::shared_ptr<const S2DWeights> weights, std::size_t frames, std::size_t members);

  // Before the first run. Error kLimit.
  Status allocate();

  // features: [frames, D]. Throws dnnl::error. Error kInternal when one of the threads failed, or
  // when OpenMP did not give as many as there are members (see can_run). A tap needs one member.
  Status run(const S2DInput& input, float* features, Tap* tap);

  // Whether OpenMP gives this many threads here: not inside somebody's own parallel region.
  static bool can_run(std::size_t members);

 private:
  std::shared_ptr<const S2DWeights> weights_;
  std::unique_ptr<TimeTeam> team_;  // video models
  std::vector<std::unique_ptr<S2DSlice>> slices_;
};

}  // namespace mien::engine
