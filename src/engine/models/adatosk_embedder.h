// The part of AdaTosk that sees each tubelet on its own: the frames of a slot -> its tokens.
// Windows of a video overlap; what they share is computed once.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/adatosk_weights.h"

namespace mien::engine {

// One caller at a time; slots are shared out among the threads.
class AdaToskEmbedder {
 public:
  explicit AdaToskEmbedder(std::shared_ptr<const AdaToskWeights> weights);

  // rgb: u8 [slots, tubelet, S, S, 3]; tokens: f32 [slots, places, D], without positions, as
  // ClipInput::tokens takes them. Errors: kLimit, kInternal.
  Status run(const std::uint8_t* rgb, std::size_t slots, float* tokens);

 private:
  class Worker;

  std::shared_ptr<const AdaToskWeights> weights_;
  std::vector<std::shared_ptr<Worker>> workers_;  // one per thread
};

}  // namespace mien::engine
