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

PatchProjection PatchProjection::read(const std::shared_ptr<const Context>& context,
                                      const TensorSource& source, const std::string& name,
                                      const core::InputNorm& norm) {
  PatchProjection proj;
  proj.values = LinearWeights::read_patches(context, source, name);
  const bool rgb = source.shape(name + ".weight").at(1) == 3 && !norm.gray;
  if (context->rounds_weights() && rgb) {
    proj.pixels = LinearWeights::read_pixel_patches(context, source, name, norm);
  }
  return proj;
}

TubeletEmbedding::TubeletEmbedding(const TubeletSizes& sizes, const core::InputNorm& norm,
                                   const PatchProjection& proj, Arena& arena)
    : sizes_(sizes),
      norm_(&norm),
      chunk_(largest_divisor(sizes.slots(), kGoodRows / sizes.patches())),
      width_(proj.values->out()),
      proj_(proj.values, chunk_ * sizes.patches(), Epilogue::kNone, LinearOut::kF32),
      pictures_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())),
      cubes_(arena.reserve_for<float>(chunk_ * sizes.tubelet * sizes.frame_values())) {
  if (proj.pixels == nullptr) return;
  pixel_proj_.emplace(proj.pixels, chunk_ * sizes.patches(), Epilogue::kNone, LinearOut::kF32);
  pixel_kind_ = proj.pixels->kind();
}

std::size_t TubeletEmbedding::scratch_bytes() const {
  return std::max(proj_.scratch_bytes(), pixel_proj_ ? pixel_proj_->scratch_bytes() : 0);
}

void TubeletEmbedding::run(const LayerPass& pass, const ClipInput& clip, float* tokens) {
  const TubeletSizes& s = sizes_;
  auto* pictures = pass.arena->at<float>(pictures_);
  auto* cubes = pass.arena->at<float>(cubes_);
  for (std::size_t slot = 0; slot < s.slots(); slot += chunk_) {
    float* out = tokens + slot * s.patches() * width_;
    if (clip.rgb != nullptr && pixel_proj_) {
      const std::uint8_t* pixels = clip.rgb + slot * s.tubelet * s.frame_values();
      gather_pixel_cubes(pixels, chunk_, s.tubelet, s.side, s.patch, pixel_kind_, cubes);
      pixel_proj_->run(*pass.stream, cubes, out, pass.scratch);
      continue;
    }
    clip.load(s, *norm_, slot * s.tubelet, chunk_ * s.tubelet, pictures);
    gather_cubes(pictures, chunk_, s.tubelet, s.side, s.channels, s.patch, cubes);
    proj_.run(*pass.stream, cubes, out, pass.scratch);
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
