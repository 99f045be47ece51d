// The part of S2D's video model that sees each frame on its own: pictures -> tokens. Windows of a
// video overlap; what they share is computed once.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/s2d_parts.h"

namespace mien::engine {

// One caller at a time; frames are shared out among the threads.
class S2DEmbedder {
 public:
  explicit S2DEmbedder(std::shared_ptr<const S2DWeights> weights);

  // rgb: u8 [frames, S, S, 3]; tokens: f32 [frames, 2, N, D], of every frame its patch tokens and
  // behind them its landmark tokens, as S2DInput::tokens takes them. Errors: kLimit, kInternal.
  Status run(const std::uint8_t* rgb, std::size_t frames, float* tokens);

 private:
  class Worker;

  std::shared_ptr<const S2DWeights> weights_;
  std::vector<std::shared_ptr<Worker>> workers_;  // one per thread
};

// Floats of one frame in S2DInput::tokens.
std::size_t s2d_frame_values(const S2DWeights& weights);

}  // namespace mien::engine
