#include "pipeline/face_aligner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mien::pipeline {
namespace {

// The landmark network was trained on the square around the points with this margin (learn's
// frame_on_points). Beyond the frame its edge is repeated, as in training.
constexpr double kPointsMargin = 1.3;

// Mean five points of the FERPlus training pictures, as fractions of the picture, made symmetric:
// where faces lie in what our models learn from.
constexpr std::array<float, 10> kFerPlusTemplate = {0.316F, 0.393F, 0.684F, 0.393F, 0.500F,
                                                    0.588F, 0.344F, 0.781F, 0.656F, 0.781F};

// The same points as fractions of the square around all 68: a face of which only the box is known.
constexpr std::array<double, 10> kMeanFace = {0.286, 0.227, 0.714, 0.227, 0.500,
                                              0.455, 0.318, 0.678, 0.682, 0.678};

media::FaceBox box_of(const Square& square) {
  const auto side = static_cast<float>(square.side);
  return {static_cast<float>(square.cx) - side / 2, static_cast<float>(square.cy) - side / 2, side,
          side, 1.0F};
}

}  // namespace

BoxShape box_shape(const std::string& detector) {
  // Medians over the faces of the training data that have both a box and points.
  if (detector == "haar") return {0.163, 0.87};
  return {0.144, 0.857};
}

Square square_around(const media::Landmarks& points) {
  float low_x = points.xy[0], high_x = low_x, low_y = points.xy[1], high_y = low_y;
  for (std::size_t i = 0; i < points.xy.size(); i += 2) {
    low_x = std::min(low_x, points.xy[i]);
    high_x = std::max(high_x, points.xy[i]);
    low_y = std::min(low_y, points.xy[i + 1]);
    high_y = std::max(high_y, points.xy[i + 1]);
  }
  return {0.5 * static_cast<double>(low_x + high_x), 0.5 * static_cast<double>(low_y + high_y),
          static_cast<double>(std::max(high_x - low_x, high_y - low_y))};
}

Square points_square(const media::FaceBox& box, const BoxShape& shape) {
  const auto h = static_cast<double>(box.h);
  return {static_cast<double>(box.x + box.w / 2),
          static_cast<double>(box.y + box.h / 2) + shape.shift_y * h, shape.scale * h};
}

bool plausible(const media::Landmarks& points, const Square& expected) {
  if (!std::all_of(points.xy.begin(), points.xy.end(), [](float v) { return std::isfinite(v); })) {
    return false;
  }
  const Square found = square_around(points);
  const double ratio = found.side / expected.side;
  const double away = std::hypot(found.cx - expected.cx, found.cy - expected.cy) / expected.side;
  // A network that sees no face answers with the mean face, or with points all over the place.
  if (!(ratio > 0.5 && ratio < 1.8 && away < 0.45)) return false;
  const auto five = media::five_points(points);
  const double eyes_x = five[2] - five[0];
  const double eyes_y = five[3] - five[1];
  const double eyes = std::hypot(eyes_x, eyes_y);
  if (eyes < 0.12 * found.side) return false;
  // Distance of the mouth below the line through the eyes, in the face's own upright.
  const double mouth_x = 0.5 * (five[6] + five[8] - five[0] - five[2]);
  const double mouth_y = 0.5 * (five[7] + five[9] - five[1] - five[3]);
  return (eyes_x * mouth_y - eyes_y * mouth_x) / eyes > 0.15 * found.side;
}

Result<media::Landmarks> PointFinder::look(const media::ImageView& frame, const Square& square) {
  MIEN_ASSIGN(const media::Crop crop, media::square_crop(frame, box_of(square), kPointsMargin,
                                                         input_size_, media::Border::kReplicate));
  media::Landmarks points;
  MIEN_TRY(session_.locate(crop.image.rgb, 1, points.xy));
  const auto side = static_cast<double>(input_size_);
  for (std::size_t i = 0; i < points.xy.size(); i += 2) {
    const auto at = crop.to_frame.apply(side * static_cast<double>(points.xy[i]),
                                        side * static_cast<double>(points.xy[i + 1]));
    points.xy[i] = static_cast<float>(at[0]);
    points.xy[i + 1] = static_cast<float>(at[1]);
  }
  points.quality = plausible(points, square) ? 1.0F : 0.0F;
  return points;
}

Result<media::Landmarks> PointFinder::locate(const media::ImageView& frame,
                                             const media::FaceBox& box) {
  MIEN_ASSIGN(media::Landmarks points, look(frame, points_square(box, shape_)));
  if (points.quality < 0.5F) return points;
  MIEN_ASSIGN(media::Landmarks better, look(frame, square_around(points)));
  return better.quality < 0.5F ? points : better;
}

Result<media::Landmarks> PointFinder::follow(const media::ImageView& frame,
                                             const media::FaceBox& box,
                                             const media::Landmarks& before) {
  const Square expected = points_square(box, shape_);
  if (plausible(before, expected)) {
    MIEN_ASSIGN(media::Landmarks points, look(frame, square_around(before)));
    if (points.quality >= 0.5F && plausible(points, expected)) return points;
  }
  return locate(frame, box);
}

FaceAligner::FaceAligner(PointFinder finder, const std::vector<float>& face_template, int crop_size,
                         BoxShape shape, Clocks& clocks)
    : finder_(std::move(finder)), crop_size_(crop_size), shape_(shape), clocks_(clocks) {
  const bool known = face_template.size() == kFerPlusTemplate.size();
  for (std::size_t i = 0; i < kFerPlusTemplate.size(); ++i) {
    target_.push_back(static_cast<double>(known ? face_template[i] : kFerPlusTemplate[i]) *
                      crop_size);
  }
}

Result<media::Landmarks> FaceAligner::find(const media::ImageView& frame, const media::FaceBox& box,
                                           const std::optional<media::Landmarks>& before) {
  const Stopwatch watch(clocks_.landmarks);
  return before ? finder_.follow(frame, box, *before) : finder_.locate(frame, box);
}

Result<std::optional<media::Landmarks>> FaceAligner::points(
    const media::ImageView& frame, const media::FaceBox& box,
    const std::optional<media::Landmarks>& before) {
  auto found = find(frame, box, before);
  const bool nothing_there = !found.ok() && found.error().code == ErrorCode::kInvalidArgument;
  if (!found.ok() && !nothing_there) return found.error();
  if (nothing_there || found->quality < 0.5F) return std::optional<media::Landmarks>();
  return std::optional<media::Landmarks>(std::move(*found));
}

Result<media::Crop> FaceAligner::crop(const media::ImageView& frame, const media::FaceBox& box,
                                      const std::optional<media::Landmarks>& points) {
  const Stopwatch watch(clocks_.align);
  if (points) {
    const auto to_frame = media::fit_similarity_robust(target_, media::five_points(*points));
    if (to_frame.ok()) {
      auto crop = media::warp_crop(frame, *to_frame, crop_size_, media::Border::kReplicate);
      if (crop.ok()) return crop;
    }
  }
  // The mean face in the box.
  const Square square = points_square(box, shape_);
  std::array<double, 10> five{};
  for (std::size_t i = 0; i < five.size(); ++i) {
    five[i] = (i % 2 == 0 ? square.cx : square.cy) + (kMeanFace[i] - 0.5) * square.side;
  }
  MIEN_ASSIGN(const media::Affine to_frame, media::fit_similarity(target_, five));
  return media::warp_crop(frame, to_frame, crop_size_, media::Border::kReplicate);
}

}  // namespace mien::pipeline
