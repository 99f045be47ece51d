#include "learn/data/rand_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace mien::learn {
namespace {

using Lut = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

constexpr double kMaxMagnitude = 10.0;
constexpr std::uint8_t kFill = 128;

std::uint8_t clamp_to_byte(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

template <typename Function>
Lut make_lut(Function value_of) {
  Lut lut{};
  for (int v = 0; v < 256; ++v) lut[static_cast<std::size_t>(v)] = clamp_to_byte(value_of(v));
  return lut;
}

void map_bytes(std::span<std::uint8_t> bytes, const Lut& lut) {
  for (std::uint8_t& v : bytes) v = lut[v];
}

// The frames of a clip, one after the other.
template <typename Function>
void for_each_frame(const ClipShape& shape, std::span<std::uint8_t> rgb, Function function) {
  for (int t = 0; t < shape.frames; ++t) {
    function(rgb.subspan(static_cast<std::size_t>(t) * shape.frame_bytes(), shape.frame_bytes()));
  }
}

// --- Operations on the histogram of a channel -----------------------------------------------

// Pillow's ImageOps.autocontrast without cutoff.
Lut auto_contrast_lut(const Histogram& histogram) {
  int low = 0;
  int high = 255;
  while (low < 255 && histogram[static_cast<std::size_t>(low)] == 0) ++low;
  while (high > 0 && histogram[static_cast<std::size_t>(high)] == 0) --high;
  if (high <= low) return make_lut([](int v) { return v; });
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  return make_lut([&](int v) { return static_cast<int>(v * scale + offset); });
}

// Pillow's ImageOps.equalize: the pixels of the last occupied level do not count towards the step.
Lut equalize_lut(const Histogram& histogram) {
  std::int64_t total = 0;
  std::int64_t last = 0;
  for (const std::int64_t count : histogram) {
    total += count;
    if (count > 0) last = count;
  }
  const std::int64_t step = (total - last) / 255;
  if (step == 0) return make_lut([](int v) { return v; });
  std::int64_t below = step / 2;
  return make_lut([&](int v) {
    const auto level = static_cast<int>(std::min<std::int64_t>(below / step, 255));
    below += histogram[static_cast<std::size_t>(v)];
    return level;
  });
}

void map_channels(std::span<std::uint8_t> frame, Lut (*lut_of)(const Histogram&)) {
  std::array<Histogram, 3> histograms{};
  for (std::size_t i = 0; i < frame.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) ++histograms[c][frame[i + c]];
  }
  std::array<Lut, 3> luts;
  for (std::size_t c = 0; c < 3; ++c) luts[c] = lut_of(histograms[c]);
  for (std::size_t i = 0; i < frame.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) frame[i + c] = luts[c][frame[i + c]];
  }
}

// --- Blends with a degenerate picture (Pillow's ImageEnhance) -----------------------------------

// Pillow's Image.blend: in single precision, clipped, truncated.
std::uint8_t blend(int degenerate, int value, float factor) {
  const float mixed =
      static_cast<float>(degenerate) + factor * static_cast<float>(value - degenerate);
  if (mixed <= 0.0F) return 0;
  return mixed >= 255.0F ? std::uint8_t{255} : static_cast<std::uint8_t>(mixed);
}

// Pillow's convert("L"): ITU-R 601 in 16-bit fixed point.
int luma(const std::uint8_t* rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

void blend_color(std::span<std::uint8_t> frame, float factor) {
  for (std::size_t i = 0; i < frame.size(); i += 3) {
    const int grey = luma(&frame[i]);
    for (std::size_t c = 0; c < 3; ++c) frame[i + c] = blend(grey, frame[i + c], factor);
  }
}

void blend_with_level(std::span<std::uint8_t> bytes, int level, float factor) {
  map_bytes(bytes, make_lut([&](int v) { return blend(level, v, factor); }));
}

void blend_contrast(std::span<std::uint8_t> frame, float factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < frame.size(); i += 3) sum += luma(&frame[i]);
  const double mean = static_cast<double>(sum) / static_cast<double>(frame.size() / 3);
  blend_with_level(frame, static_cast<int>(mean + 0.5), factor);
}

// The degenerate picture is Pillow's ImageFilter.SMOOTH: 3x3 ones with 5 in the middle, over 13;
// the outermost pixels stay as they are.
void blend_sharpness(std::span<std::uint8_t> frame, int height, int width, float factor) {
  if (height < 3 || width < 3) return;
  const std::vector<std::uint8_t> source(frame.begin(), frame.end());
  const std::size_t stride = static_cast<std::size_t>(width) * 3;
  constexpr float kSide = 1.0F / 13.0F;
  constexpr float kMiddle = 5.0F / 13.0F;
  const auto row_sum = [](const std::uint8_t* p, float middle) {
    return static_cast<float>(*(p - 3)) * kSide + static_cast<float>(*p) * middle +
           static_cast<float>(*(p + 3)) * kSide;
  };
  for (int y = 1; y < height - 1; ++y) {
    const std::size_t start = static_cast<std::size_t>(y) * stride;
    for (std::size_t i = start + 3; i < start + stride - 3; ++i) {
      const std::uint8_t* p = source.data() + i;
      float sum = 0.5F;
      sum += row_sum(p + stride, kSide);
      sum += row_sum(p, kMiddle);
      sum += row_sum(p - stride, kSide);
      const auto smooth = static_cast<int>(std::clamp(sum, 0.0F, 255.0F));
      frame[i] = blend(smooth, *p, factor);
    }
  }
}

// --- Geometric operations (Pillow's Image.transform, AFFINE, BICUBIC) ---------------------------

// Where a pixel comes from: x' = a[0] x + a[1] y + a[2], y' = a[3] x + a[4] y + a[5], in
// coordinates where pixel (0,0) covers the square 0..1.
using Affine = std::array<double, 6>;

// Pillow's cubic through four values, at d in [0,1) between the second and the third (a = -1).
double cubic(double v1, double v2, double v3, double v4, double d) {
  const double p2 = -v1 + v3;
  const double p3 = 2.0 * (v1 - v2) + v3 - v4;
  const double p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}

// The 4 x 4 neighbourhood one output pixel is made of: byte offsets in a frame, edges repeated.
struct Taps {
  bool inside = false;
  std::array<std::size_t, 4> columns{};
  std::array<std::size_t, 4> rows{};
  double dx = 0.0;
  double dy = 0.0;
};

Taps taps_at(const Affine& map, const ClipShape& shape, int x, int y) {
  const double cx = x + 0.5;
  const double cy = y + 0.5;
  const double from_x = map[0] * cx + map[1] * cy + map[2];
  const double from_y = map[3] * cx + map[4] * cy + map[5];
  Taps taps;
  taps.inside = from_x >= 0.0 && from_x < shape.width && from_y >= 0.0 && from_y < shape.height;
  if (!taps.inside) return taps;
  const double left = std::floor(from_x - 0.5);
  const double top = std::floor(from_y - 0.5);
  taps.dx = from_x - 0.5 - left;
  taps.dy = from_y - 0.5 - top;
  for (int k = 0; k < 4; ++k) {
    const int column = std::clamp(static_cast<int>(left) - 1 + k, 0, shape.width - 1);
    const int row = std::clamp(static_cast<int>(top) - 1 + k, 0, shape.height - 1);
    const auto slot = static_cast<std::size_t>(k);
    taps.columns[slot] = static_cast<std::size_t>(column) * 3;
    taps.rows[slot] = static_cast<std::size_t>(row) * static_cast<std::size_t>(shape.width) * 3;
  }
  return taps;
}

// One channel of one pixel; `frame` points at that channel of the frame's first pixel. Shears and
// translations run along one axis, where the other cubic would give its second value back.
std::uint8_t sample(const std::uint8_t* frame, const Taps& taps) {
  const auto along_x = [&](std::size_t row) -> double {
    const std::uint8_t* p = frame + row;
    if (taps.dx == 0.0) return p[taps.columns[1]];
    return cubic(p[taps.columns[0]], p[taps.columns[1]], p[taps.columns[2]], p[taps.columns[3]],
                 taps.dx);
  };
  const double value = taps.dy == 0.0
                           ? along_x(taps.rows[1])
                           : cubic(along_x(taps.rows[0]), along_x(taps.rows[1]),
                                   along_x(taps.rows[2]), along_x(taps.rows[3]), taps.dy);
  if (value <= 0.0) return 0;
  return value >= 255.0 ? std::uint8_t{255} : static_cast<std::uint8_t>(value);
}

void transform(const ClipShape& shape, std::span<std::uint8_t> rgb, const Affine& map) {
  const std::vector<std::uint8_t> source(rgb.begin(), rgb.end());
  const auto frames = static_cast<std::size_t>(shape.frames);
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      const Taps taps = taps_at(map, shape, x, y);  // once for all frames
      const std::size_t at = (static_cast<std::size_t>(y) * static_cast<std::size_t>(shape.width) +
                              static_cast<std::size_t>(x)) *
                             3;
      for (std::size_t t = 0; t < frames; ++t) {
        const std::size_t frame = t * shape.frame_bytes();
        for (std::size_t c = 0; c < 3; ++c) {
          rgb[frame + at + c] = taps.inside ? sample(source.data() + frame + c, taps) : kFill;
        }
      }
    }
  }
}

// Pillow's Image.rotate about the centre, counter-clockwise. Its matrix is rounded to 15 decimals.
Affine rotation(const ClipShape& shape, double degrees) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0.0) turn += 360.0;
  const double angle = -(turn * (std::numbers::pi / 180.0));
  const auto rounded = [](double v) { return std::round(v * 1e15) / 1e15; };
  const double cosine = rounded(std::cos(angle));
  const double sine = rounded(std::sin(angle));
  const double cx = shape.width / 2.0;
  const double cy = shape.height / 2.0;
  const double minus_sine = rounded(-std::sin(angle));
  return {cosine,     sine,   cosine * -cx + sine * -cy + cx,
          minus_sine, cosine, minus_sine * -cx + cosine * -cy + cy};
}

void apply_geometric(const ClipShape& shape, std::span<std::uint8_t> rgb, AugmentOp op, double part,
                     double sign) {
  if (part == 0.0) return;
  const double shear = sign * (part * 0.3);
  const double shift = sign * (part * 0.45);
  switch (op) {
    case AugmentOp::kRotate: return transform(shape, rgb, rotation(shape, sign * (part * 30.0)));
    case AugmentOp::kShearX: return transform(shape, rgb, {1.0, shear, 0.0, 0.0, 1.0, 0.0});
    case AugmentOp::kShearY: return transform(shape, rgb, {1.0, 0.0, 0.0, shear, 1.0, 0.0});
    case AugmentOp::kTranslateXRel:
      return transform(shape, rgb, {1.0, 0.0, shift * shape.width, 0.0, 1.0, 0.0});
    default: return transform(shape, rgb, {1.0, 0.0, 0.0, 0.0, 1.0, shift * shape.height});
  }
}

void apply_blend(const ClipShape& shape, std::span<std::uint8_t> rgb, AugmentOp op, float factor) {
  if (op == AugmentOp::kBrightness) return blend_with_level(rgb, 0, factor);
  for_each_frame(shape, rgb, [&](std::span<std::uint8_t> frame) {
    switch (op) {
      case AugmentOp::kColor: return blend_color(frame, factor);
      case AugmentOp::kContrast: return blend_contrast(frame, factor);
      default: return blend_sharpness(frame, shape.height, shape.width, factor);
    }
  });
}

}  // namespace

const char* augment_op_name(AugmentOp op) {
  switch (op) {
    case AugmentOp::kAutoContrast: return "AutoContrast";
    case AugmentOp::kEqualize: return "Equalize";
    case AugmentOp::kInvert: return "Invert";
    case AugmentOp::kRotate: return "Rotate";
    case AugmentOp::kPosterize: return "Posterize";
    case AugmentOp::kSolarize: return "Solarize";
    case AugmentOp::kSolarizeAdd: return "SolarizeAdd";
    case AugmentOp::kColor: return "Color";
    case AugmentOp::kContrast: return "Contrast";
    case AugmentOp::kBrightness: return "Brightness";
    case AugmentOp::kSharpness: return "Sharpness";
    case AugmentOp::kShearX: return "ShearX";
    case AugmentOp::kShearY: return "ShearY";
    case AugmentOp::kTranslateXRel: return "TranslateXRel";
    case AugmentOp::kTranslateYRel: return "TranslateYRel";
  }
  return "unknown";
}

std::vector<AugmentStep> draw_rand_augment(const RandAugmentOptions& options, Rng& rng) {
  std::vector<AugmentStep> steps;
  for (int i = 0; i < options.ops; ++i) {
    // Every draw takes the same count of numbers, whether it is applied or not.
    AugmentStep step;
    step.op = static_cast<AugmentOp>(rng.below(kAugmentOpCount));
    const bool applied = rng.chance(options.probability);
    const double wanted = options.magnitude + options.magnitude_std * rng.normal();
    step.magnitude = std::clamp(wanted, 0.0, kMaxMagnitude);
    step.negative = rng.chance(0.5);
    if (applied) steps.push_back(step);
  }
  return steps;
}

void apply_augment(const ClipShape& shape, std::span<std::uint8_t> rgb, const AugmentStep& step) {
  const double part = step.magnitude / kMaxMagnitude;
  const double sign = step.negative ? -1.0 : 1.0;
  switch (step.op) {
    case AugmentOp::kAutoContrast:
      return for_each_frame(shape, rgb, [](auto f) { map_channels(f, auto_contrast_lut); });
    case AugmentOp::kEqualize:
      return for_each_frame(shape, rgb, [](auto f) { map_channels(f, equalize_lut); });
    case AugmentOp::kInvert: return map_bytes(rgb, make_lut([](int v) { return 255 - v; }));
    case AugmentOp::kPosterize: {
      const int dropped = 8 - (4 - static_cast<int>(part * 4.0));
      return map_bytes(rgb, make_lut([&](int v) { return (v >> dropped) << dropped; }));
    }
    case AugmentOp::kSolarize: {
      const int threshold = 256 - static_cast<int>(part * 256.0);
      return map_bytes(rgb, make_lut([&](int v) { return v < threshold ? v : 255 - v; }));
    }
    case AugmentOp::kSolarizeAdd: {
      const int more = static_cast<int>(part * 110.0);
      return map_bytes(rgb, make_lut([&](int v) { return v < 128 ? v + more : v; }));
    }
    case AugmentOp::kColor:
    case AugmentOp::kContrast:
    case AugmentOp::kBrightness:
    case AugmentOp::kSharpness:
      return apply_blend(shape, rgb, step.op, static_cast<float>(1.0 + sign * (part * 0.9)));
    default: return apply_geometric(shape, rgb, step.op, part, sign);
  }
}

}  // namespace mien::learn
