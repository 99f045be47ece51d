#include "media/face_surface.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mien::media {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kRows = 256;               // of the tables over y
constexpr Point3 kMiddle{0, 0.5, -0.7};  // about which the head turns
constexpr double kDepthOfWidth = 0.95;   // how deep a cross-section is for its half-width

// Piecewise cubic through (at[i], value[i]), `at` rising, slopes from the neighbours.
double cubic_through(std::span<const Point2> knots, double at) {
  const std::size_t n = knots.size();
  if (at <= knots.front().x) return knots.front().y;
  if (at >= knots.back().x) return knots.back().y;
  std::size_t i = 0;
  while (i + 2 < n && knots[i + 1].x <= at) ++i;
  auto slope = [&](std::size_t k) {
    const Point2& a = knots[k == 0 ? 0 : k - 1];
    const Point2& b = knots[std::min(k + 1, n - 1)];
    return (b.y - a.y) / (b.x - a.x);
  };
  const double step = knots[i + 1].x - knots[i].x;
  const double t = (at - knots[i].x) / step;
  const double s = 1 - t;
  return knots[i].y * s * s * (1 + 2 * t) + knots[i + 1].y * t * t * (1 + 2 * s) +
         step * (slope(i) * s * s * t - slope(i + 1) * t * t * s);
}

double bell(double dx, double dy) {
  const double square = dx * dx + dy * dy;
  return square > 10 ? 0.0 : std::exp(-square);
}

}  // namespace

Rotation rotation_of(const HeadPose& pose) {
  const double degree = kPi / 180;
  const double cy = std::cos(pose.yaw * degree), sy = std::sin(pose.yaw * degree);
  const double cp = std::cos(pose.pitch * degree), sp = std::sin(pose.pitch * degree);
  const double cr = std::cos(pose.roll * degree), sr = std::sin(pose.roll * degree);
  const Rotation turned = {{{cy, 0, sy}, {0, 1, 0}, {-sy, 0, cy}}};
  Rotation out{};
  for (std::size_t k = 0; k < 3; ++k) {
    const double x = turned[0][k];
    const double y = cp * turned[1][k] - sp * turned[2][k];
    const double z = sp * turned[1][k] + cp * turned[2][k];
    out[0][k] = cr * x - sr * y;
    out[1][k] = sr * x + cr * y;
    out[2][k] = z;
  }
  return out;
}

Point3 rotate(const Rotation& r, const Point3& v) {
  return {r[0][0] * v.x + r[0][1] * v.y + r[0][2] * v.z,
          r[1][0] * v.x + r[1][1] * v.y + r[1][2] * v.z,
          r[2][0] * v.x + r[2][1] * v.y + r[2][2] * v.z};
}

Projection::Projection(const HeadPose& pose)
    : rotation_(rotation_of(pose)), scale_(pose.scale), x_(pose.x), y_(pose.y) {}

Point3 Projection::operator()(const Point3& p) const {
  const Point3 turned = rotate(rotation_, {p.x - kMiddle.x, p.y - kMiddle.y, p.z - kMiddle.z});
  return {x_ + scale_ * turned.x, y_ + scale_ * turned.y, scale_ * turned.z};
}

FaceSurface::FaceSurface(const FaceLook& look, const ActionUnits& units, const FaceShape& shape) {
  build_outline(look, shape);
  build_profile(units, shape);
  build_bumps(look, units, shape);
}

void FaceSurface::build_outline(const FaceLook& look, const FaceShape& shape) {
  // From the chin up the right side, over the crown, with a neighbour on the far side at each end.
  std::vector<Point2> outline{{-shape[9].x, shape[9].y}};
  for (std::size_t i = 8; i <= 16; ++i) outline.push_back(shape[i]);
  const double width = look.face_width;
  for (const Point2 p : {Point2{1.09, -0.38},
                         {1.07, -0.72},
                         {0.98, -1.06},
                         {0.79, -1.37},
                         {0.45, -1.61},
                         {0, -1.70},
                         {-0.45, -1.61}}) {
    outline.push_back({p.x * width, p.y});
  }
  const std::vector<Point2> curve = smooth_curve(outline, 24, false);
  top_ = -1.70;
  bottom_ = shape[8].y;
  widths_.assign(kRows, 0.0);
  for (int row = 1; row + 1 < kRows; ++row) {
    const double y = top_ + (bottom_ - top_) * row / (kRows - 1);
    double widest = 0;
    for (std::size_t i = 1; i < curve.size(); ++i) {
      const Point2 &a = curve[i - 1], &b = curve[i];
      if ((a.y - y) * (b.y - y) > 0 || a.y == b.y) continue;
      widest = std::max(widest, a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
    }
    widths_[static_cast<std::size_t>(row)] = widest;
  }
}

void FaceSurface::build_profile(const ActionUnits& units, const FaceShape& shape) {
  const double chin = bottom_, mouth = shape[57].y - 0.15, back = -0.10 * units.au26;
  const std::array<Point2, 12> knots = {{{-1.70, -0.95},
                                         {-1.64, -0.62},
                                         {-1.45, -0.30},
                                         {-1.15, -0.05},
                                         {-0.80, 0.06},
                                         {-0.35, 0.11},
                                         {0.0, 0.09},
                                         {0.45, 0.12},
                                         {mouth, 0.19 + back / 3},
                                         {chin - 0.2, 0.19 + back},
                                         {chin - 0.05, 0.10 + back},
                                         {chin, -0.06 + back}}};
  profile_.resize(kRows);
  for (int row = 0; row < kRows; ++row) {
    const double y = top_ + (bottom_ - top_) * row / (kRows - 1);
    profile_[static_cast<std::size_t>(row)] = cubic_through(knots, y);
  }
}

void FaceSurface::both_sides(Bump left) {
  bumps_.push_back(left);
  left.x = -left.x;
  bumps_.push_back(left);
}

// Heights from anatomy (in face units of 63 mm), adjusted by eye.
void FaceSurface::build_bumps(const FaceLook& look, const ActionUnits& units,
                              const FaceShape& shape) {
  nose_top_ = shape[27].y - 0.08;
  nose_tip_ = shape[30].y + 0.03;
  nose_base_ = shape[33].y + 0.04;
  nose_width_ = look.nose_width;
  const double brow = (shape[19].y + shape[24].y) / 2;
  const double eye_x = -0.5 * look.eye_spacing;
  const double smile_left = units.au12 * std::min(1.0, 1.0 - units.side);
  const double smile_right = units.au12 * std::min(1.0, 1.0 + units.side);
  both_sides({-0.44, brow + 0.03, 0.32, 0.10, 0.055 + 0.02 * units.au4});
  both_sides({eye_x, -0.01, 0.27, 0.15, -0.15});
  both_sides({eye_x, 0.0, 0.19, 0.12, 0.09 * look.eye_size});
  both_sides({eye_x + 0.3, 0.02, 0.09, 0.12, -0.05});
  const double puff[2] = {0.6 * smile_left + 0.4 * units.au6, 0.6 * smile_right + 0.4 * units.au6};
  for (int side = 0; side < 2; ++side) {
    const double sign = side == 0 ? -1 : 1;
    bumps_.push_back({sign * 0.66, 0.40 - 0.05 * puff[side], 0.30, 0.24, 0.06 + 0.12 * puff[side]});
    bumps_.push_back({sign * 0.60, 0.85, 0.20, 0.28, -0.02 - 0.04 * look.age});
    // The ala, and the furrow that runs down from it.
    bumps_.push_back({sign * 0.18 * look.nose_width, shape[31].y - 0.02, 0.085, 0.085, 0.13});
    bumps_.push_back({sign * 0.36, 0.76 - 0.04 * puff[side], 0.07, 0.14,
                      -0.02 - 0.07 * puff[side] - 0.05 * units.au9});
  }
  // Lips roll outwards; the line between them and the fold above the chin lie deep.
  const double middle = (shape[62].y + shape[66].y) / 2;
  const double open = shape[66].y - shape[62].y;
  const double wide = 0.30 * look.mouth_width * (1 + 0.3 * units.au12 + 0.3 * units.au20);
  const double full = look.lip_thickness * (1 - 0.5 * units.au23);
  bumps_.push_back({0, (shape[51].y + shape[62].y) / 2, wide, 0.055, 0.05 * full});
  bumps_.push_back({0, (shape[57].y + shape[66].y) / 2, wide * 0.85, 0.065, 0.07 * full});
  bumps_.push_back({0, middle, wide * 1.25, 0.03 + 0.4 * open, -0.04 - 0.1 * open});
  bumps_.push_back({0, shape[57].y + 0.07, 0.25, 0.06, -0.05});
  bumps_.push_back({0, bottom_ - 0.20, 0.20, 0.12, 0.06});
  bumps_.push_back({0, (nose_base_ + shape[51].y) / 2, 0.045, 0.08, -0.02});
  bumps_.push_back({0, brow + 0.02, 0.07, 0.10, -0.03 * units.au4});
}

double FaceSurface::nose(double x, double y) const {
  if (y < nose_top_ || y > nose_base_ + 0.15) return 0;
  const double along = std::clamp((y - nose_top_) / (nose_tip_ - nose_top_), 0.0, 1.0);
  double height = 0.40 * std::pow(along, 1.25) + 0.05 * std::sin(kPi * along);
  if (y > nose_tip_) {
    const double below = (y - nose_tip_) / (nose_base_ - nose_tip_);
    height *= std::exp(-1.1 * below * below * below);
  }
  const double wide = (0.10 + 0.075 * along) * nose_width_;
  return height * bell(x / wide, 0);
}

double FaceSurface::relief(double x, double y) const {
  double sum = nose(x, y);
  for (const Bump& b : bumps_) {
    sum += b.height * bell((x - b.x) / b.wide, (y - b.y) / b.high);
  }
  return sum;
}

double FaceSurface::from_table(const std::vector<double>& table, double y) const {
  const double at = (y - top_) / (bottom_ - top_) * (kRows - 1);
  if (!(at > 0)) return table.front();
  if (at >= kRows - 1) return table.back();
  const auto row = static_cast<std::size_t>(at);
  const double part = at - static_cast<double>(row);
  return table[row] * (1 - part) + table[row + 1] * part;
}

double FaceSurface::half_width(double y) const {
  return from_table(widths_, y);
}

double FaceSurface::profile(double y) const {
  return from_table(profile_, y);
}

double FaceSurface::flat_x(double angle, double y) const {
  const double width = half_width(y), past = std::abs(angle) - kPi / 2;
  if (past <= 0) return width * std::sin(angle);
  return std::copysign(width * (1 + past), angle);
}

double FaceSurface::angle_of(double flat_x, double y) const {
  const double width = std::max(half_width(y), 1e-3);
  const double share = std::abs(flat_x) / width;
  const double angle = share <= 1 ? std::asin(share) : kPi / 2 + std::min(share - 1, kPi / 2);
  return std::copysign(angle, flat_x);
}

Point3 FaceSurface::at(double angle, double y, bool relief_too) const {
  const double width = half_width(y);
  // Narrow sections (chin, crown) close like the end of an egg.
  const double depth = kDepthOfWidth * std::sqrt(std::max(width, 0.0) * 1.08);
  Point3 p{width * std::sin(angle), y, profile(y) - depth * (1 - std::cos(angle))};
  if (relief_too) p.z += relief(flat_x(angle, y), y);
  return p;
}

namespace {

// The angle of the outline seen under this yaw on that side, if it lies in front of the one of the
// frontal view.
double outline_angle(const FaceSurface& surface, double y, double yaw, double sign) {
  const double straight = sign * kPi / 2;
  if (yaw * sign <= 0) return straight;
  const double width = surface.half_width(y);
  const double depth = surface.at(0, y, false).z - surface.at(straight, y, false).z;
  const double turn = std::abs(yaw) * kPi / 180;
  return sign * std::atan2(width * std::cos(turn), depth * std::sin(turn));
}

}  // namespace

Landmarks face_landmarks(const FaceLook& look, const ActionUnits& units, const HeadPose& pose) {
  const FaceShape shape = face_shape(look, units);
  const FaceSurface surface(look, units, shape);
  const Projection project(pose);
  Landmarks out;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Point2 p = shape[i];
    double angle = surface.angle_of(p.x, p.y);
    if (i < 8) angle = outline_angle(surface, p.y, pose.yaw, -1);
    if (i > 8 && i <= 16) angle = outline_angle(surface, p.y, pose.yaw, 1);
    Point3 on_face = surface.at(angle, p.y);
    if (i == 8) on_face = surface.at(0, p.y);
    const Point3 seen = project(on_face);
    out.xy[2 * i] = static_cast<float>(seen.x);
    out.xy[2 * i + 1] = static_cast<float>(seen.y);
  }
  return out;
}

}  // namespace mien::media
