#include "learn/data/augment.h"

#include <algorithm>
#include <cmath>

namespace mien::learn {
namespace {

constexpr double kPi = std::numbers::pi;

// Bilinear luma at picture coordinates (pixel (0,0) covers 0..1), 0..255, edges repeated.
float sample(std::span<const std::uint8_t> pixels, int width, int height, double x, double y) {
  const double fx = std::clamp(x - 0.5, 0.0, width - 1.0);
  const double fy = std::clamp(y - 0.5, 0.0, height - 1.0);
  const int x0 = static_cast<int>(fx);
  const int y0 = static_cast<int>(fy);
  const int x1 = std::min(x0 + 1, width - 1);
  const int y1 = std::min(y0 + 1, height - 1);
  const auto at = [&](int column, int row) {
    return static_cast<float>(
        pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
               static_cast<std::size_t>(column)]);
  };
  const auto wx = static_cast<float>(fx - x0);
  const auto wy = static_cast<float>(fy - y0);
  const float top = at(x0, y0) + wx * (at(x1, y0) - at(x0, y0));
  const float bottom = at(x0, y1) + wx * (at(x1, y1) - at(x0, y1));
  return top + wy * (bottom - top);
}

// Shrinks the crop to `coarse` pixels a side and back: what a distant or cheap camera leaves.
void coarsen(std::span<float> crop, int size, int coarse) {
  std::vector<float> small(static_cast<std::size_t>(coarse) * coarse, 0.0F);
  std::vector<int> counts(small.size(), 0);
  const auto cell = [&](int i) { return i * coarse / size; };
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const std::size_t to = static_cast<std::size_t>(cell(y)) * coarse + cell(x);
      small[to] += crop[static_cast<std::size_t>(y) * size + x];
      ++counts[to];
    }
  }
  for (std::size_t i = 0; i < small.size(); ++i) small[i] /= static_cast<float>(counts[i]);
  const auto at = [&](int x, int y) {
    return small[static_cast<std::size_t>(std::clamp(y, 0, coarse - 1)) * coarse +
                 std::clamp(x, 0, coarse - 1)];
  };
  for (int y = 0; y < size; ++y) {
    const float fy = (static_cast<float>(y) + 0.5F) * coarse / size - 0.5F;
    const int y0 = static_cast<int>(std::floor(fy));
    const float wy = fy - static_cast<float>(y0);
    for (int x = 0; x < size; ++x) {
      const float fx = (static_cast<float>(x) + 0.5F) * coarse / size - 0.5F;
      const int x0 = static_cast<int>(std::floor(fx));
      const float wx = fx - static_cast<float>(x0);
      const float top = at(x0, y0) + wx * (at(x0 + 1, y0) - at(x0, y0));
      const float bottom = at(x0, y0 + 1) + wx * (at(x0 + 1, y0 + 1) - at(x0, y0 + 1));
      crop[static_cast<std::size_t>(y) * size + x] = top + wy * (bottom - top);
    }
  }
}

void erase_box(std::span<float> crop, int size, Rng& rng) {
  const double area = rng.uniform(0.02, 0.2);
  const double aspect = std::exp(rng.uniform(std::log(0.4), std::log(2.5)));
  const int width = std::clamp(static_cast<int>(size * std::sqrt(area * aspect)), 1, size);
  const int height = std::clamp(static_cast<int>(size * std::sqrt(area / aspect)), 1, size);
  const auto left = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - width + 1)));
  const auto top = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - height + 1)));
  const auto value = static_cast<float>(rng.uniform());
  for (int y = top; y < top + height; ++y) {
    std::fill_n(crop.begin() + static_cast<std::ptrdiff_t>(y) * size + left, width, value);
  }
}

}  // namespace

void render_crop(const StillSet& set, const Still& still, const CropFrame& frame, int size,
                 std::span<float> out) {
  const auto pixels = set.pixels_of(still);
  const double step = frame.side / size;  // picture pixels per crop pixel
  const int taps = std::clamp(static_cast<int>(std::ceil(step - 0.25)), 1, 8);
  const double cell = 1.0 / (size * taps);
  // One step along a crop row or column is a constant vector in the picture.
  const double du_x = std::cos(frame.angle) * frame.side * (frame.mirrored ? -cell : cell);
  const double du_y = std::sin(frame.angle) * frame.side * (frame.mirrored ? -cell : cell);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      float sum = 0.0F;
      for (int ty = 0; ty < taps; ++ty) {
        const auto at = frame.to_picture((x * taps + 0.5) * cell, (y * taps + ty + 0.5) * cell);
        for (int tx = 0; tx < taps; ++tx) {
          sum += sample(pixels, still.width, still.height, at[0] + tx * du_x, at[1] + tx * du_y);
        }
      }
      out[static_cast<std::size_t>(y) * size + x] =
          sum / (255.0F * static_cast<float>(taps * taps));
    }
  }
}

CropFrame jitter(CropFrame frame, const AugmentOptions& options, Rng& rng) {
  frame.cx += frame.side * rng.uniform(-options.shift, options.shift);
  frame.cy += frame.side * rng.uniform(-options.shift, options.shift);
  frame.side *= std::exp(rng.uniform(-options.scale, options.scale));
  frame.angle += rng.uniform(-options.rotate_deg, options.rotate_deg) * kPi / 180.0;
  frame.mirrored = rng.chance(options.flip);
  return frame;
}

void photometric(std::span<float> crop, int size, const AugmentOptions& options, Rng& rng) {
  if (rng.chance(options.blur)) {
    coarsen(crop, size, std::max(8, static_cast<int>(size * rng.uniform(0.25, 0.7))));
  }
  const auto gamma = static_cast<float>(std::exp(rng.uniform(-options.gamma, options.gamma)));
  const auto gain = static_cast<float>(std::exp(rng.uniform(-options.contrast, options.contrast)));
  const auto offset = static_cast<float>(rng.uniform(-options.brightness, options.brightness));
  const double direction = rng.uniform(0.0, 2.0 * kPi);
  const double strength = rng.uniform(0.0, options.side_light);
  const auto light_x = static_cast<float>(strength * std::cos(direction) * 2.0 / size);
  const auto light_y = static_cast<float>(strength * std::sin(direction) * 2.0 / size);
  const auto sigma = static_cast<float>(rng.uniform(0.0, options.noise));
  const float half = 0.5F * static_cast<float>(size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      float& p = crop[static_cast<std::size_t>(y) * size + x];
      const float light = 1.0F + light_x * (static_cast<float>(x) - half) +
                          light_y * (static_cast<float>(y) - half);
      // The sum of four uniform numbers is near enough to a normal one, and cheap.
      const std::uint64_t bits = rng.next();
      const int sum = static_cast<int>(bits & 0xFFFF) + static_cast<int>((bits >> 16) & 0xFFFF) +
                      static_cast<int>((bits >> 32) & 0xFFFF) + static_cast<int>(bits >> 48);
      const float grain = sigma * static_cast<float>(sum - 131070) / 37837.0F;
      const float lit = std::pow(std::clamp(p, 0.0F, 1.0F), gamma) * light;
      p = std::clamp((lit - 0.5F) * gain + 0.5F + offset + grain, 0.0F, 1.0F);
    }
  }
  if (rng.chance(options.erase)) erase_box(crop, size, rng);
}

std::vector<float> points_in_crop(const Still& still, const CropFrame& frame) {
  std::vector<float> out(still.points.size());
  const auto& mirror = mirror_index();
  for (std::size_t i = 0; i < 68; ++i) {
    const std::size_t from = frame.mirrored ? static_cast<std::size_t>(mirror[i]) : i;
    const auto at = frame.to_crop(still.points[2 * from], still.points[2 * from + 1]);
    out[2 * i] = static_cast<float>(at[0]);
    out[2 * i + 1] = static_cast<float>(at[1]);
  }
  return out;
}

}  // namespace mien::learn
