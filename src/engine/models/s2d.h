// S2D over any number of frames or clips.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <vector>

#include "engine/models/s2d_plan.h"

namespace mien::engine {

// Runs passes with plans kept by size. Frames are shared out among the threads: those of an image
// model meet once per call, those of a clip twice per prompt. Only a single large frame is worked
// on by all threads layer by layer. One caller at a time.
class S2DRunner {
 public:
  explicit S2DRunner(std::shared_ptr<const S2DWeights> weights);

  // Makes the primitives of the usual pass and thereby packs the weights. Errors: kLimit,
  // kInternal.
  Status prepare();

  // Features of `frames` frames: one clip of num_frames in a video model, any number in an image
  // model. features: [frames, D]. The input is trusted to have the sizes of the config. With a tap
  // one thread does all passes in order. Errors: kInvalidArgument (frames), kLimit, kInternal.
  Status run(const S2DInput& input, std::size_t frames, float* features, Tap* tap);

  const S2DWeights& weights() const { return *weights_; }

 private:
  // How a pass is computed; plans are kept by it.
  struct PassShape {
    std::size_t frames = 1;
    std::size_t members = 1;  // threads that share the frames of a clip
    int threads = 1;          // threads of every layer
    auto operator<=>(const PassShape&) const = default;
  };
  using Plans = std::map<PassShape, std::unique_ptr<S2DPlan>>;

  PassShape pass_shape(std::size_t frames_left, bool alone, bool tapped) const;
  Status make_plans(Plans& plans, std::size_t frames, bool alone, bool tapped);
  Status run_part(Plans& plans, const S2DInput& input, std::size_t frames, bool alone,
                  float* features, Tap* tap);

  std::shared_ptr<const S2DWeights> weights_;
  std::vector<Plans> workers_;  // one per thread of an image model
};

}  // namespace mien::engine
