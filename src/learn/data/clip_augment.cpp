#include "learn/data/clip_augment.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mien::learn {
namespace {

using torch::Tensor;

// Where an output row or column comes from: two inputs, `weight` for the second.
struct Tap {
  std::size_t first = 0;
  std::size_t second = 0;
  float weight = 0.0F;
};

// align_corners=False: output i covers scale inputs around (i + 1/2) scale; not past the first and
// last input. Offsets in bytes, `stride` from one input to the next, from input `begin` on.
std::vector<Tap> taps_of(int begin, int count, int size, std::size_t stride, bool mirrored) {
  std::vector<Tap> taps(static_cast<std::size_t>(size));
  const float scale = static_cast<float>(count) / static_cast<float>(size);
  for (int i = 0; i < size; ++i) {
    const float at = std::max((static_cast<float>(i) + 0.5F) * scale - 0.5F, 0.0F);
    const int first = std::min(static_cast<int>(at), count - 1);
    const int second = std::min(first + 1, count - 1);
    Tap& tap = taps[static_cast<std::size_t>(mirrored ? size - 1 - i : i)];
    tap.first = static_cast<std::size_t>(begin + first) * stride;
    tap.second = static_cast<std::size_t>(begin + second) * stride;
    tap.weight = at - static_cast<float>(first);
  }
  return taps;
}

// Normalised value of each 8-bit level of each channel: the engine's arithmetic.
using LevelTable = std::array<std::array<float, 256>, 3>;

LevelTable level_table(const core::InputNorm& norm) {
  LevelTable table{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0F - norm.mean[c]) / norm.std[c];
    }
  }
  return table;
}

// ITU-R 601 luma of an RGB pixel, 0..1.
float luma(const std::uint8_t* p) {
  const float sum = 0.299F * static_cast<float>(p[0]) + 0.587F * static_cast<float>(p[1]) +
                    0.114F * static_cast<float>(p[2]);
  return sum / 255.0F;
}

// Bilinear mean of level_of(pixel) over the four neighbours.
template <typename LevelOf>
float interpolate(const std::uint8_t* frame, const Tap& row, const Tap& column, LevelOf level_of) {
  const auto along_x = [&](std::size_t offset) {
    const float first = level_of(frame + offset + column.first);
    return first + column.weight * (level_of(frame + offset + column.second) - first);
  };
  const float top = along_x(row.first);
  return top + row.weight * (along_x(row.second) - top);
}

// Round to the nearest whole number, at least 0.
int rounded(double value) {
  return static_cast<int>(std::lround(std::max(value, 0.0)));
}

double log_uniform(double ratio, Rng& rng) {
  const double limit = std::log(std::max(ratio, 1.0));
  return std::exp(rng.uniform(-limit, limit));
}

int place(int length, int limit, Rng& rng) {
  return static_cast<int>(rng.below(static_cast<std::uint64_t>(limit - length + 1)));
}

PixelBox whole_frame(const ClipShape& shape) {
  return {0, 0, shape.height, shape.width};
}

}  // namespace

PixelBox draw_crop(int height, int width, const ClipAugmentOptions& options, Rng& rng) {
  if (options.crop_scale_low <= 0.0) return {0, 0, height, width};
  const double area = static_cast<double>(height) * width;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double wanted = area * rng.uniform(options.crop_scale_low, options.crop_scale_high);
    const double ratio = log_uniform(options.crop_ratio, rng);
    const int w = rounded(std::sqrt(wanted * ratio));
    const int h = rounded(std::sqrt(wanted / ratio));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const int top = place(h, height, rng);
    return {top, place(w, width, rng), h, w};
  }
  const double limit = std::max(options.crop_ratio, 1.0);
  const int w = std::clamp(rounded(height * limit), 1, width);
  const int h = std::clamp(rounded(width * limit), 1, height);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

std::optional<PixelBox> draw_erasure(int size, const ClipAugmentOptions& options, Rng& rng) {
  if (!rng.chance(options.erase)) return std::nullopt;
  const double area = static_cast<double>(size) * size;
  // As often as the official code tries; the box is nearly always found at once.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const double wanted = area * rng.uniform(options.erase_area_low, options.erase_area_high);
    const double ratio = log_uniform(options.erase_ratio, rng);
    const int h = rounded(std::sqrt(wanted * ratio));
    const int w = rounded(std::sqrt(wanted / ratio));
    if (h < 1 || w < 1 || h >= size || w >= size) continue;
    const int top = place(h, size, rng);
    return PixelBox{top, place(w, size, rng), h, w};
  }
  return std::nullopt;
}

Tensor render_clip(const ClipView& clip, const PixelBox& box, bool mirrored, int size,
                   const core::InputNorm& norm) {
  const ClipShape& shape = clip.shape;
  const std::size_t row_bytes = static_cast<std::size_t>(shape.width) * 3;
  const std::vector<Tap> rows = taps_of(box.top, box.height, size, row_bytes, false);
  const std::vector<Tap> columns = taps_of(box.left, box.width, size, 3, mirrored);
  const LevelTable table = level_table(norm);
  Tensor out = torch::empty({3, shape.frames, size, size}, torch::kFloat);
  const std::size_t plane = rows.size() * columns.size();
  const std::size_t channel = plane * static_cast<std::size_t>(shape.frames);
  float* to = out.data_ptr<float>();
  for (std::size_t t = 0; t < static_cast<std::size_t>(shape.frames); ++t) {
    const std::uint8_t* frame = clip.rgb.data() + t * shape.frame_bytes();
    for (const Tap& row : rows) {
      for (const Tap& column : columns) {
        if (norm.gray) {
          const float level = interpolate(frame, row, column, luma);
          for (std::size_t c = 0; c < 3; ++c) {
            to[c * channel] = (level - norm.mean[c]) / norm.std[c];
          }
        } else {
          for (std::size_t c = 0; c < 3; ++c) {
            to[c * channel] = interpolate(
                frame, row, column, [&](const std::uint8_t* pixel) { return table[c][pixel[c]]; });
          }
        }
        ++to;
      }
    }
  }
  return out;
}

void erase_clip(Tensor& clip, const PixelBox& box, const core::InputNorm& norm, Rng& rng) {
  const std::int64_t frames = clip.size(1);
  const std::int64_t height = clip.size(2);
  const std::int64_t width = clip.size(3);
  const std::int64_t channel = frames * height * width;
  float* values = clip.data_ptr<float>();
  for (std::int64_t t = 0; t < frames; ++t) {
    for (std::int64_t y = box.top; y < box.top + box.height; ++y) {
      float* row = values + (t * height + y) * width;
      for (std::int64_t x = box.left; x < box.left + box.width; ++x) {
        const auto noise = static_cast<float>(rng.normal());
        row[x] = noise;
        for (std::int64_t c = 1; c < 3; ++c) {
          row[c * channel + x] = norm.gray ? noise : static_cast<float>(rng.normal());
        }
      }
    }
  }
}

Tensor augment_clip(const ClipView& clip, int size, const core::InputNorm& norm,
                    const ClipAugmentOptions& options, Rng& rng) {
  ClipView source = clip;
  std::vector<std::uint8_t> changed;
  const std::vector<AugmentStep> steps = draw_rand_augment(options.rand_augment, rng);
  if (!steps.empty()) {
    changed.assign(clip.rgb.begin(), clip.rgb.end());
    for (const AugmentStep& step : steps) apply_augment(clip.shape, changed, step);
    source.rgb = changed;
  }
  const PixelBox box = draw_crop(clip.shape.height, clip.shape.width, options, rng);
  const bool mirrored = rng.chance(options.flip);
  Tensor out = render_clip(source, box, mirrored, size, norm);
  const std::optional<PixelBox> erasure = draw_erasure(size, options, rng);
  if (erasure) erase_clip(out, *erasure, norm, rng);
  return out;
}

Tensor plain_clip(const ClipView& clip, int size, const core::InputNorm& norm) {
  return render_clip(clip, whole_frame(clip.shape), false, size, norm);
}

}  // namespace mien::learn
