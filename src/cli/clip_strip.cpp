#include "cli/clip_strip.h"

#include <algorithm>

#include "learn/data/clip_frames.h"
#include "media/image.h"

namespace mien::cli {
namespace {

constexpr int kTiles = 8;
constexpr int kSide = 96;
constexpr int kQuality = 85;

std::vector<std::int64_t> spread_evenly(std::int64_t count) {
  const std::int64_t tiles = std::min<std::int64_t>(kTiles, count);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < tiles; ++i) {
    indices.push_back(tiles == 1 ? 0 : i * (count - 1) / (tiles - 1));
  }
  return indices;
}

}  // namespace

std::vector<std::uint8_t> clip_strip(const learn::ClipEntry& clip) {
  const auto frames = learn::read_chosen_frames(clip, spread_evenly, {kSide, kSide});
  if (!frames) return {};
  const auto tiles = static_cast<int>(frames->size());
  media::Image strip = media::Image::black(kSide * tiles, kSide);
  for (int i = 0; i < tiles; ++i) {
    const media::Image& frame = (*frames)[static_cast<std::size_t>(i)];
    for (int y = 0; y < kSide; ++y) {
      std::copy_n(frame.view().row(y), kSide * 3, strip.row(y) + i * kSide * 3);
    }
  }
  auto jpeg = media::encode_jpeg(strip, kQuality);
  return jpeg ? std::move(*jpeg) : std::vector<std::uint8_t>{};
}

}  // namespace mien::cli
