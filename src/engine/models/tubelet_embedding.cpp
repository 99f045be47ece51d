#include "engine/models/tubelet_embedding.h"

#include <algorithm>

#include "engine/kernels/image.h"
#include "engine/models/plan_sizes.h"

namespace mien::engine {
namespace {

constexpr std::size_t kStemChunk = 4;  // slots at a time: their maps must fit in the cache

}  // namespace

TubeletSizes TubeletSizes::of(const core::VideoMaeConfig& config) {
  const auto z = [](int n) { return static_cast<std::size_t>(n); };
  return {.frames = z(config.num_frames),
          .side = z(config.img_size),
          .channels = z(config.in_chans),
          .tubelet = z(config.tubelet_size),
          .patch = z(config.patch_size)};
}

ClipInput ClipInput::from_clip(const TubeletSizes& sizes, std::size_t clip,
                               std::size_t width) const {
  const std::size_t pixels = clip * sizes.frames * sizes.side * sizes.side;
  return {rgb == nullptr ? nullptr : rgb + pixels * 3,
          planar == nullptr ? nullptr : planar + pixels * sizes.channels,
          tokens == nullptr ? nullptr : tokens + clip * sizes.tokens() * width};
}

void ClipInput::load(const TubeletSizes& sizes, const core::InputNorm& norm, std::size_t first,
                     std::size_t count, float* pictures) const {
  const std::size_t place = sizes.side * sizes.side;
  const std::size_t skipped = first * place;
  if (rgb != nullptr) {
    normalize_pixels(rgb + skipped * 3, count, sizes.side, norm, sizes.channels, pictures);
  } else {
    planar_to_frames(planar + skipped, sizes.frames * place, place, count, sizes.side,
                     sizes.channels, pictures);
  }
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
  auto* pictures = pass.arena->at<float>(pictures_);
  auto* cubes = pass.arena->at<float>(cubes_);
  for (std::size_t slot = 0; slot < s.slots(); slot += chunk_) {
    clip.load(s, *norm_, slot * s.tubelet, chunk_ * s.tubelet, pictures);
    gather_cubes(pictures, chunk_, s.tubelet, s.side, s.channels, s.patch, cubes);
    proj_.run(*pass.stream, cubes, tokens + slot * s.patches() * width_, pass.scratch);
  }
}

StemEmbedding::StemEmbedding(const TubeletSizes& sizes, const core::InputNorm& norm,
                             const ConvChainWeights& stem, const SharedLinear& proj, Arena& arena)
    : sizes_(sizes),
      norm_(&norm),
      chunk_(largest_divisor(sizes.slots(), kStemChunk)),
      width_(proj->out()),
      stem_(stem, chunk_, sizes.side, arena),
      proj_(proj, chunk_ * sizes.patches(), Epilogue::kNone, LinearOut::kF32),
      pictures_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())),
      stacked_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())) {}

std::size_t StemEmbedding::scratch_bytes() const {
  return std::max(stem_.scratch_bytes(), proj_.scratch_bytes());
}

void StemEmbedding::run(const LayerPass& pass, const ClipInput& clip, float* tokens) {
  const TubeletSizes& s = sizes_;
  auto* pictures = pass.arena->at<float>(pictures_);
  auto* stacked = pass.arena->at<float>(stacked_);
  for (std::size_t slot = 0; slot < s.slots(); slot += chunk_) {
    clip.load(s, *norm_, slot * s.tubelet, chunk_ * s.tubelet, pictures);
    stack_frames(pictures, chunk_, s.tubelet, s.side, s.channels, stacked);
    const void* map = stem_.run(*pass.stream, *pass.arena, stacked, pass.scratch, nullptr);
    proj_.run(*pass.stream, map, tokens + slot * s.patches() * width_, pass.scratch);
  }
}

}  // namespace mien::engine
