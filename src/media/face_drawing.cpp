#include "media/face_drawing.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "media/face_mesh.h"

namespace mien::media {
namespace {

constexpr int kSuper = 2;  // drawn at twice the size, then averaged

// What stands behind everything: a gradient with blurred things on it.
cv::Mat paint_background(const Scene& scene, cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    const Rgb colour =
        mix(scene.background_top, scene.background_bottom, static_cast<double>(y) / size.height);
    picture.row(y).setTo(cv::Scalar(colour[0], colour[1], colour[2]));
  }
  core::Rng rng(core::Rng::mix(scene.seed, 11));
  SoftPainter painter(picture, {0, 0}, size.height);
  for (int k = 0; k < scene.blobs; ++k) {
    const double aspect = static_cast<double>(size.width) / size.height;
    const Point2 at{rng.uniform(0, aspect), rng.uniform(0, 1)};
    const double wide = rng.uniform(0.05, 0.25), high = rng.uniform(0.05, 0.35);
    const Rgb colour = scaled(scene.background_top, rng.uniform(0.45, 1.25));
    const double blur = rng.uniform(0.01, 0.05);
    if (rng.chance(0.5)) {
      painter.ellipse(at, wide, high, colour, 0.7, blur);
    } else {
      painter.fill({{at.x - wide, at.y - high},
                    {at.x + wide, at.y - high},
                    {at.x + wide, at.y + high},
                    {at.x - wide, at.y + high}},
                   colour, 0.7, blur);
    }
  }
  return picture;
}

// Outlines in space, seen under a pose, in pixels.
std::vector<Point2> seen(const Projection& project, const std::vector<Point2>& outline, double z) {
  std::vector<Point2> out;
  for (const Point2& p : outline) {
    const Point3 at = project({p.x, p.y, z});
    out.push_back({at.x, at.y});
  }
  return out;
}

std::vector<Point2> rounded(const std::vector<Point2>& outline) {
  return smooth_curve(outline, 8, true);
}

bool drawable(const ActionUnits& units, const HeadPose& pose) {
  double sum =
      units.blink + units.side + pose.yaw + pose.pitch + pose.roll + pose.gaze_x + pose.gaze_y;
  for (const ActionUnitField& unit : kActionUnits) sum += std::abs(units.*unit.value);
  constexpr double kFar = 1e4;
  return std::isfinite(sum) && std::abs(sum) < kFar && pose.scale >= 1 && pose.scale <= 1024 &&
         std::abs(pose.x) <= kFar && std::abs(pose.y) <= kFar;
}

double side_light(const Scene& scene, double sign) {
  return 0.82 + 0.25 * sign * scene.light_x * scene.light_contrast;
}

}  // namespace

struct FaceArtist::Impl {
  FaceLook look;
  Scene scene;
  cv::Size size;  // of the frame
  FaceTexture texture;
  cv::Mat background;  // at kSuper times the size

  Impl(const FaceLook& who, const Scene& where, cv::Size frame, double scale)
      : look(who),
        scene(where),
        size(frame),
        texture(who, where.seed, scale * kSuper),
        background(paint_background(where, frame * kSuper)) {}

  void paint_back_hair(SoftPainter& painter, const Projection& project) const;
  void paint_body(SoftPainter& painter, const Projection& project, double scale) const;
  void paint_ear(SoftPainter& painter, const Projection& project, double sign) const;
  void paint_glasses(SoftPainter& painter, const Projection& project, const FaceShape& shape,
                     double scale) const;
  cv::Mat draw_large(const ActionUnits& units, const HeadPose& pose) const;
  void expose(cv::Mat& picture, std::uint64_t frame) const;
};

void FaceArtist::Impl::paint_back_hair(SoftPainter& painter, const Projection& project) const {
  if (look.hair != HairStyle::kLong) return;
  const double w = look.face_width;
  const auto outline = rounded({{0, -1.75},
                                {0.75 * w, -1.55},
                                {1.18 * w, -0.9},
                                {1.30 * w, 0},
                                {1.36 * w, 1.0},
                                {1.30 * w, 2.0},
                                {0.9, 2.35},
                                {0, 2.2},
                                {-0.9, 2.35},
                                {-1.30 * w, 2.0},
                                {-1.36 * w, 1.0},
                                {-1.30 * w, 0},
                                {-1.18 * w, -0.9},
                                {-0.75 * w, -1.55}});
  painter.fill(seen(project, outline, -1.1), scaled(look.hair_colour, 0.8), 1, 3.0);
}

void FaceArtist::Impl::paint_body(SoftPainter& painter, const Projection& project,
                                  double scale) const {
  const Rgb skin = skin_colour(look.skin_tone);
  const double w = 0.60 * look.face_width * (0.6 + 0.4 * look.jaw_width);
  const auto neck =
      std::vector<Point2>{{-w, 0.7},      {-w * 0.97, 1.8}, {-w * 1.25, 2.3}, {-w * 1.6, 2.6},
                          {w * 1.6, 2.6}, {w * 1.25, 2.3},  {w * 0.97, 1.8},  {w, 0.7}};
  painter.fill(seen(project, neck, -0.75), scaled(skin, 0.80 * scene.brightness), 1, 1.5);
  for (const double sign : {-1.0, 1.0}) {  // the round of the neck, by a darker rim
    painter.fill(seen(project,
                      {{sign * w, 0.7},
                       {sign * w * 0.97, 1.9},
                       {sign * w * 0.55, 1.9},
                       {sign * w * 0.6, 0.7}},
                      -0.75),
                 scaled(skin, 0.45 * side_light(scene, sign)), 0.5, 0.16 * scale);
  }
  painter.fill(
      seen(project, rounded({{-w, 1.0}, {w, 1.0}, {w, 1.75}, {0, 2.0}, {-w, 1.75}}), -0.75),
      scaled(skin, 0.38), 0.62, 0.10 * scale);  // under the chin
  const auto clothes = std::vector<Point2>{
      {-0.82 * w, 2.05}, {-1.35, 2.32},    {-2.1, 2.55}, {-2.65, 2.95}, {-3.0, 4.2},
      {-3.2, 9},         {3.2, 9},         {3.0, 4.2},   {2.65, 2.95},  {2.1, 2.55},
      {1.35, 2.32},      {0.82 * w, 2.05}, {0.3, 2.55},  {0, 2.62},     {-0.3, 2.55}};
  painter.fill(seen(project, rounded(clothes), -0.8), scaled(scene.clothes, scene.brightness), 1,
               1.5);
  for (const double sign : {-1.0, 1.0}) {
    painter.fill(
        seen(project, {{sign * 2.0, 2.6}, {sign * 2.8, 3.0}, {sign * 3.2, 9}, {sign * 1.9, 9}},
             -0.8),
        scaled(scene.clothes, 0.45 * side_light(scene, sign)), 0.6, 0.2 * scale);
  }
}

void FaceArtist::Impl::paint_ear(SoftPainter& painter, const Projection& project,
                                 double sign) const {
  if (look.hair == HairStyle::kLong) return;
  const double light = side_light(scene, sign) * scene.brightness;
  const Rgb skin = scaled(skin_colour(look.skin_tone), 0.86 * light);
  const double edge = sign * 1.06 * look.face_width;
  auto outline = [&](double wide, double high) {
    std::vector<Point2> out;
    for (int k = 0; k < 24; ++k) {
      const double angle = 2 * std::numbers::pi * k / 24;
      out.push_back({edge + sign * (0.04 + wide * std::cos(angle)),
                     0.16 + high * std::sin(angle) * (std::sin(angle) > 0 ? 1.1 : 1.0)});
    }
    return seen(project, out, -0.9);
  };
  painter.fill(outline(0.13, 0.30), skin, 1, 1.0);
  painter.fill(outline(0.06, 0.17), scaled(skin, 0.6), 0.6, 2.0);
}

void FaceArtist::Impl::paint_glasses(SoftPainter& painter, const Projection& project,
                                     const FaceShape& shape, double scale) const {
  if (!look.glasses) return;
  constexpr Rgb kFrame{34, 30, 30};
  const double y = 0.03, z = 0.28;
  const double eye = (shape[42].x + shape[45].x) / 2;
  for (const double sign : {-1.0, 1.0}) {
    const auto lens = rounded({{sign * (eye - 0.33), y - 0.16},
                               {sign * eye, y - 0.21},
                               {sign * (eye + 0.33), y - 0.17},
                               {sign * (eye + 0.34), y + 0.05},
                               {sign * (eye + 0.2), y + 0.25},
                               {sign * (eye - 0.1), y + 0.27},
                               {sign * (eye - 0.32), y + 0.1}});
    std::vector<Point2> rim = seen(project, lens, z - 0.1);
    rim.push_back(rim.front());
    painter.fill(rim, {235, 240, 245}, 0.06, 1.0);
    painter.stroke(rim, 0.045 * scale, kFrame, 0.9, 0.5);
    const Point3 hinge = project({sign * (eye + 0.36), y - 0.1, z - 0.12});
    const Point3 ear = project({sign * 1.10 * look.face_width, y - 0.05, -0.75});
    painter.stroke({{hinge.x, hinge.y}, {ear.x, ear.y}}, 0.04 * scale, kFrame, 0.8, 0.5);
  }
  const auto bridge = smooth_curve(
      std::vector<Point2>{{-(eye - 0.33), y - 0.06}, {0, y - 0.12}, {eye - 0.33, y - 0.06}}, 6,
      false);
  painter.stroke(seen(project, bridge, z), 0.045 * scale, kFrame, 0.9, 0.5);
}

cv::Mat FaceArtist::Impl::draw_large(const ActionUnits& units, const HeadPose& frame_pose) const {
  HeadPose pose = frame_pose;
  pose.scale *= kSuper, pose.x *= kSuper, pose.y *= kSuper;
  HeadPose body = pose;  // follows the head's place, hardly its turns
  body.yaw *= 0.25, body.pitch = 0, body.roll *= 0.25;
  const FaceShape shape = face_shape(look, units);
  const FaceSurface surface(look, units, shape);
  const Projection project(pose);

  cv::Mat flat = paint_face(look, units, shape, texture, {pose.gaze_x, pose.gaze_y});
  const Light light{scene.light_x, scene.light_y, 0.8, scene.light_contrast, scene.brightness};
  shade_face(flat, texture, shape, surface, pose, light);

  cv::Mat picture = background.clone();
  SoftPainter painter(picture, {0, 0}, 1.0);
  paint_back_hair(painter, project);
  paint_body(painter, Projection(body), pose.scale);
  const double away = pose.yaw < 0 ? -1 : 1;  // the ear on this side is behind the head
  paint_ear(painter, project, away);
  if (std::abs(pose.yaw) < 4) paint_ear(painter, project, -away);
  draw_head(picture, flat, texture, surface, pose);
  if (std::abs(pose.yaw) >= 4) paint_ear(painter, project, -away);
  paint_glasses(painter, project, shape, pose.scale);
  return picture;
}

// Lens, light and sensor.
void FaceArtist::Impl::expose(cv::Mat& picture, std::uint64_t frame) const {
  if (scene.blur_px > 0.05) {
    cv::GaussianBlur(picture, picture, {0, 0}, scene.blur_px, scene.blur_px, cv::BORDER_REPLICATE);
  }
  core::Rng rng(core::Rng::mix(scene.seed, 12, frame));
  // Four 16-bit parts of one number, summed: nearly normal, deviation 2 * 65536 / sqrt 12.
  const double step = scene.noise / (2 * 65536 / std::sqrt(12.0));
  for (int y = 0; y < picture.rows; ++y) {
    auto* row = picture.ptr<std::uint8_t>(y);
    for (int x = 0; x < picture.cols; ++x, row += 3) {
      const std::uint64_t word = rng.next();
      const auto sum = static_cast<double>((word & 0xFFFF) + ((word >> 16) & 0xFFFF) +
                                           ((word >> 32) & 0xFFFF) + (word >> 48));
      const double noise = (sum - 2 * 65535.0) * step;
      for (std::size_t c = 0; c < 3; ++c) {
        row[c] = static_cast<std::uint8_t>(
            std::lround(std::clamp(row[c] * scene.light_colour[c] + noise, 0.0, 255.0)));
      }
    }
  }
}

Result<FaceArtist> FaceArtist::create(const FaceLook& look, const Scene& scene, int width,
                                      int height, double scale) {
  if (width < 16 || height < 16 || width > 4096 || height > 4096) {
    return make_error(ErrorCode::kInvalidArgument, "frames are 16 to 4096 pixels a side",
                      std::to_string(width) + "x" + std::to_string(height));
  }
  if (!(scale >= 4 && scale <= 1024)) {
    return make_error(ErrorCode::kInvalidArgument, "faces are 4 to 1024 pixels between the eyes");
  }
  try {
    return FaceArtist(std::make_unique<Impl>(look, scene, cv::Size(width, height), scale));
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what(), "face drawing");
  }
}

FaceArtist::FaceArtist(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FaceArtist::FaceArtist(FaceArtist&&) noexcept = default;
FaceArtist& FaceArtist::operator=(FaceArtist&&) noexcept = default;
FaceArtist::~FaceArtist() = default;

Result<Image> FaceArtist::draw(const ActionUnits& units, const HeadPose& pose,
                               std::uint64_t frame) const {
  if (!drawable(units, pose)) {
    return make_error(ErrorCode::kInvalidArgument, "no such pose or action units", "face drawing");
  }
  try {
    const cv::Mat large = impl_->draw_large(units, pose);
    Image out = Image::black(impl_->size.width, impl_->size.height);
    cv::Mat small(out.height, out.width, CV_8UC3, out.rgb.data());
    cv::resize(large, small, small.size(), 0, 0, cv::INTER_AREA);
    impl_->expose(small, frame);
    return out;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what(), "face drawing");
  }
}

}  // namespace mien::media
