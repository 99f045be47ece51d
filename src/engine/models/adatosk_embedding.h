// AdaTosk's first layer: cubes of pixels to tokens, linear or with a stem.
#pragma once

#include <optional>

#include "engine/models/adatosk_weights.h"

namespace mien::engine {

// Bound to a number of slots and to its place in the arena. Construct under ThreadScope; throws
// dnnl::error.
class AdaToskEmbedding {
 public:
  // `weights` outlive this.
  AdaToskEmbedding(const AdaToskWeights& weights, std::size_t slots, Arena& arena);

  std::size_t scratch_bytes() const;

  // The first `slots` slots of a clip -> f32 [slots * places, D], without position.
  void run(const LayerPass& pass, const ClipInput& clip, float* tokens);

 private:
  std::optional<TubeletEmbedding> cubes_;  // one of the two
  std::optional<StemEmbedding> stem_;
};

}  // namespace mien::engine
