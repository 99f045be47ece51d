#include "media/face_paint.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "core/rng.h"
#include "media/face_surface.h"

namespace mien::media {
namespace {

// White noise blurred by (across, along) face units, scaled to mean 0 and deviation 1.
cv::Mat noise_field(core::Rng rng, cv::Size size, double scale, double across, double along) {
  cv::Mat field(size, CV_32FC1);
  for (int y = 0; y < size.height; ++y) {
    auto* row = field.ptr<float>(y);
    for (int x = 0; x < size.width; ++x) row[x] = static_cast<float>(rng.uniform() - 0.5);
  }
  cv::GaussianBlur(field, field, {0, 0}, std::max(across * scale, 0.35),
                   std::max(along * scale, 0.35), cv::BORDER_REFLECT);
  cv::Scalar mean, deviation;
  cv::meanStdDev(field, mean, deviation);
  field.convertTo(field, CV_32F, 1 / std::max(deviation[0], 1e-6),
                  -mean[0] / std::max(deviation[0], 1e-6));
  return field;
}

double smooth_step(double low, double high, double v) {
  const double t = std::clamp((v - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

// y of the hairline at that share of the half width: across the forehead, down the temples.
double hairline(const FaceLook& look, double share) {
  const double front = look.hair == HairStyle::kFringe ? -0.62
                       : look.hair == HairStyle::kBald ? -1.9
                                                       : -1.12 - 0.1 * look.age;
  const double temple = smooth_step(0.62, 0.98, share);
  const double behind = smooth_step(0.97, 1.15, share);
  const double side = look.hair == HairStyle::kBald ? -0.35 : -0.30;
  const double low = look.hair == HairStyle::kLong ? 1.2 : 0.18;
  return front + (side - front) * temple + (low - side) * behind;
}

// How much of the place is hair on the head, 0..1.
double hair_cover(const FaceLook& look, double half_width, double flat_x, double y) {
  if (half_width <= 1e-3) return look.hair == HairStyle::kBald ? 0 : y < 0 ? 1 : 0;
  const double share = std::min(std::abs(flat_x) / half_width, 2.0);
  // A slight wave keeps the line across the forehead from being a compass's.
  const double wave = 0.025 * std::sin(9 * flat_x + 3) + 0.015 * std::sin(23 * flat_x);
  const double line = hairline(look, share) + wave * (1 - smooth_step(0.5, 0.75, share));
  return smooth_step(0.05, -0.05, y - line);
}

// How far it stands off, face units.
double hair_height(const FaceLook& look) {
  switch (look.hair) {
    case HairStyle::kBald: return 0.01;
    case HairStyle::kShort: return 0.10;
    case HairStyle::kFringe: return 0.13;
    case HairStyle::kLong: return 0.15;
  }
  return 0;
}

cv::Vec3b byte_pixel(const Rgb& colour, double factor, double more) {
  cv::Vec3b out;
  for (int c = 0; c < 3; ++c) {
    const double value = colour[static_cast<std::size_t>(c)] * factor + more;
    out[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
  return out;
}

}  // namespace

Rgb skin_colour(double tone) {
  static constexpr std::array<Rgb, 7> kTones = {{{243, 212, 192},
                                                 {232, 190, 162},
                                                 {215, 166, 132},
                                                 {188, 136, 102},
                                                 {158, 108, 78},
                                                 {124, 82, 58},
                                                 {92, 60, 44}}};
  const double at = std::clamp(tone, 0.0, 1.0) * (kTones.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), kTones.size() - 2);
  return mix(kTones[low], kTones[low + 1], at - static_cast<double>(low));
}

FaceTexture::FaceTexture(const FaceLook& look, std::uint64_t seed, double scale_px)
    : scale(scale_px),
      size(static_cast<int>(std::ceil((kFlatRight - kFlatLeft) * scale_px)),
           static_cast<int>(std::ceil((kFlatBottom - kFlatTop) * scale_px))),
      skin(size, CV_8UC3),
      hair(size, CV_8UC3),
      cover(size, CV_32FC1) {
  auto field = [&](std::uint64_t which, double across, double along) {
    return noise_field(core::Rng(core::Rng::mix(seed, which)), size, scale, across, along);
  };
  const cv::Mat pores = field(1, 0.012, 0.012), blotches = field(2, 0.14, 0.14);
  const cv::Mat strands = field(3, 0.012, 0.22);
  const ActionUnits at_rest;
  const FaceSurface surface(look, at_rest, face_shape(look, at_rest));
  const Rgb skin_rgb = skin_colour(look.skin_tone);
  for (int row = 0; row < size.height; ++row) {
    const double y = kFlatTop + (row + 0.5) / scale;
    const double width = surface.half_width(y);
    auto* skin_out = skin.ptr<cv::Vec3b>(row);
    auto* hair_out = hair.ptr<cv::Vec3b>(row);
    auto* cover_out = cover.ptr<float>(row);
    for (int column = 0; column < size.width; ++column) {
      const double x = kFlatLeft + (column + 0.5) / scale;
      const auto pore = static_cast<double>(pores.at<float>(row, column));
      const auto blotch = static_cast<double>(blotches.at<float>(row, column));
      const auto strand = static_cast<double>(strands.at<float>(row, column));
      skin_out[column] = byte_pixel(skin_rgb, 1 + 0.012 * pore + 0.022 * blotch, 0);
      hair_out[column] = byte_pixel(look.hair_colour, std::max(0.4, 1 + 0.22 * strand), 4);
      cover_out[column] = static_cast<float>(hair_cover(look, width, x, y));
    }
  }
  // Soft, since the head's mesh is too coarse for the edge itself.
  cv::GaussianBlur(cover, lift, {0, 0}, 0.08 * scale, 0.08 * scale, cv::BORDER_REPLICATE);
  lift *= hair_height(look);
}

namespace {

void lay_hair(cv::Mat& flat, const FaceTexture& texture) {
  for (int row = 0; row < flat.rows; ++row) {
    auto* out = flat.ptr<cv::Vec3b>(row);
    const auto* hair = texture.hair.ptr<cv::Vec3b>(row);
    const auto* cover = texture.cover.ptr<float>(row);
    for (int column = 0; column < flat.cols; ++column) {
      if (cover[column] <= 0) continue;
      for (int c = 0; c < 3; ++c) {
        const auto below = static_cast<float>(out[column][c]);
        const auto above = static_cast<float>(hair[column][c]);
        out[column][c] = static_cast<std::uint8_t>(below + (above - below) * cover[column]);
      }
    }
  }
}

}  // namespace

cv::Mat paint_face(const FaceLook& look, const ActionUnits& units, const FaceShape& shape,
                   const FaceTexture& texture, Point2 gaze) {
  cv::Mat flat = texture.skin.clone();
  SoftPainter painter(flat, {-kFlatLeft * texture.scale, -kFlatTop * texture.scale}, texture.scale);
  paint_skin_lines(painter, look, units, shape);
  paint_beard(painter, look, shape);
  lay_hair(flat, texture);
  paint_brows(painter, look, shape);
  paint_eyes(painter, look, shape, gaze);
  paint_nose(painter, look, shape);
  paint_mouth(painter, look, shape);
  return flat;
}

}  // namespace mien::media
