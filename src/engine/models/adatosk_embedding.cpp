#include "engine/models/adatosk_embedding.h"

namespace mien::engine {

AdaToskEmbedding::AdaToskEmbedding(const AdaToskWeights& weights, std::size_t slots, Arena& arena) {
  TubeletSizes sizes = weights.clip_sizes();
  sizes.frames = slots * sizes.tubelet;
  if (weights.stem) {
    stem_.emplace(sizes, weights.config.input, *weights.stem, weights.patch_proj.values, arena);
  } else {
    cubes_.emplace(sizes, weights.config.input, weights.patch_proj, arena);
  }
}

std::size_t AdaToskEmbedding::scratch_bytes() const {
  return stem_ ? stem_->scratch_bytes() : cubes_->scratch_bytes();
}

void AdaToskEmbedding::run(const LayerPass& pass, const ClipInput& clip, float* tokens) {
  if (stem_) {
    stem_->run(pass, clip, tokens);
  } else {
    cubes_->run(pass, clip, tokens);
  }
}

}  // namespace mien::engine
