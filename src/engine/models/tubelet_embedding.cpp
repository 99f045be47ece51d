#include "engine/models/tubelet_embedding.h"

#include "engine/kernels/image.h"
#include "engine/models/plan_sizes.h"

namespace mien::engine {

ClipInput ClipInput::from_clip(const TubeletSizes& sizes, std::size_t clip) const {
  const std::size_t pixels = clip * sizes.frames * sizes.side * sizes.side;
  return {rgb == nullptr ? nullptr : rgb + pixels * 3,
          planar == nullptr ? nullptr : planar + pixels * sizes.channels};
}

TubeletEmbedding::TubeletEmbedding(const TubeletSizes& sizes, const core::InputNorm& norm,
                                   const SharedLinear& proj, Arena& arena)
    : sizes_(sizes),
      norm_(&norm),
      chunk_(largest_divisor(sizes.slots(), kGoodRows / sizes.patches())),
      width_(proj->out()),
      proj_(proj, chunk_ * sizes.patches(), Epilogue::kNone, LinearOut::kF32),
      pictures_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())),
      cubes_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())) {}

void TubeletEmbedding::run(const LayerPass& pass, const ClipInput& clip, float* tokens) {
  const TubeletSizes& s = sizes_;
  const std::size_t place = s.side * s.side;
  const std::size_t frames = chunk_ * s.tubelet;
  auto* pictures = pass.arena->at<float>(pictures_);
  auto* cubes = pass.arena->at<float>(cubes_);
  for (std::size_t slot = 0; slot < s.slots(); slot += chunk_) {
    const std::size_t skipped = slot * s.tubelet * place;  // pixels of the frames before
    if (clip.rgb != nullptr) {
      normalize_pixels(clip.rgb + skipped * 3, frames, s.side, *norm_, s.channels, pictures);
    } else {
      planar_to_frames(clip.planar + skipped, s.frames * place, place, frames, s.side, s.channels,
                       pictures);
    }
    gather_cubes(pictures, chunk_, s.tubelet, s.side, s.channels, s.patch, cubes);
    proj_.run(*pass.stream, cubes, tokens + slot * s.patches() * width_, pass.scratch);
  }
}

}  // namespace mien::engine
