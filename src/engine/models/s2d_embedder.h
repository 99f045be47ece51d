// The frames of S2D's video model one by one: pictures -> tokens.
#pragma once

#include <memory>

#include "engine/models/part_embedder.h"
#include "engine/models/s2d_parts.h"

namespace mien::engine {

// Floats of one frame in S2DInput::tokens.
std::size_t s2d_frame_values(const S2DWeights& weights);

// One thread's memory for one frame at a time.
class S2DFrameWorker {
 public:
  // Under ThreadScope; throws dnnl::error.
  explicit S2DFrameWorker(std::shared_ptr<const S2DWeights> weights);

  Status allocate() { return arena_.allocate(); }

  // rgb: u8 [S, S, 3]; tokens: f32 [2, N, D], the frame's patch tokens and behind them its landmark
  // tokens, as S2DInput::tokens takes them.
  void run(const std::uint8_t* rgb, float* tokens);

  static std::size_t part_bytes(const S2DWeights& weights) {
    return weights.side() * weights.side() * 3;
  }
  static std::size_t part_values(const S2DWeights& weights) { return s2d_frame_values(weights); }

 private:
  std::shared_ptr<const S2DWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  S2DInputPart input_;
  Slot scratch_;
};

using S2DEmbedder = PartEmbedder<S2DFrameWorker, S2DWeights>;

}  // namespace mien::engine
