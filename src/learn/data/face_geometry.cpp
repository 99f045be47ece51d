#include "learn/data/face_geometry.h"

#include <algorithm>
#include <cmath>

namespace mien::learn {
namespace {

constexpr double kPointsMargin = 1.3;
constexpr float kTrustedSpread = 0.04F;  // beyond it the points are mostly wrong (data README)

std::array<int, 68> make_mirror_index() {
  std::array<int, 68> index{};
  const auto swap_range = [&](int first, int last) {  // a run that mirrors onto itself reversed
    for (int i = first; i <= last; ++i) index[static_cast<std::size_t>(i)] = first + last - i;
  };
  swap_range(0, 16);                                                      // jaw
  swap_range(17, 26);                                                     // brows
  for (int i = 27; i <= 30; ++i) index[static_cast<std::size_t>(i)] = i;  // nose bridge
  swap_range(31, 35);                                                     // nostrils
  constexpr std::array<std::array<int, 2>, 6> kEyes = {
      {{36, 45}, {37, 44}, {38, 43}, {39, 42}, {40, 47}, {41, 46}}};
  for (const auto& [a, b] : kEyes) {
    index[static_cast<std::size_t>(a)] = b;
    index[static_cast<std::size_t>(b)] = a;
  }
  swap_range(48, 54);  // outer mouth, upper
  swap_range(55, 59);  // outer mouth, lower
  swap_range(60, 64);  // inner mouth, upper
  swap_range(65, 67);  // inner mouth, lower
  return index;
}

}  // namespace

std::array<double, 2> CropFrame::to_picture(double u, double v) const {
  const double du = (mirrored ? -1.0 : 1.0) * (u - 0.5) * side;
  const double dv = (v - 0.5) * side;
  return {cx + std::cos(angle) * du - std::sin(angle) * dv,
          cy + std::sin(angle) * du + std::cos(angle) * dv};
}

std::array<double, 2> CropFrame::to_crop(double x, double y) const {
  const double dx = (x - cx) / side;
  const double dy = (y - cy) / side;
  const double du = std::cos(angle) * dx + std::sin(angle) * dy;
  const double dv = -std::sin(angle) * dx + std::cos(angle) * dy;
  return {0.5 + (mirrored ? -du : du), 0.5 + dv};
}

std::array<double, 10> five_points(std::span<const float> points) {
  const auto mean = [&](std::size_t first, std::size_t last, std::size_t axis) {
    double sum = 0.0;
    for (std::size_t i = first; i <= last; ++i) sum += static_cast<double>(points[2 * i + axis]);
    return sum / static_cast<double>(last - first + 1);
  };
  const auto at = [&](std::size_t i) { return static_cast<double>(points[i]); };
  return {mean(36, 41, 0), mean(36, 41, 1), mean(42, 47, 0), mean(42, 47, 1), at(60),
          at(61),          at(96),          at(97),          at(108),         at(109)};
}

std::vector<float> mean_face_template(const StillSet& set) {
  std::array<double, 10> sum{};
  std::size_t count = 0;
  for (const Still& still : set.stills) {
    if (!still.framed || still.points.empty() || still.spread > kTrustedSpread) continue;
    const CropFrame frame = frame_on_picture(still);
    const auto five = five_points(still.points);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto at = frame.to_crop(five[2 * i], five[2 * i + 1]);
      sum[2 * i] += at[0];
      sum[2 * i + 1] += at[1];
    }
    ++count;
  }
  std::vector<float> mean;
  for (const double value : sum) {
    if (count > 0) mean.push_back(static_cast<float>(value / static_cast<double>(count)));
  }
  return mean;
}

CropFrame frame_on_template(std::span<const float> points, std::span<const float> face_template) {
  // Least squares for picture = c + A (template - 0.5) with A = [[a, -b], [b, a]].
  const auto five = five_points(points);
  double mean_u = 0, mean_v = 0, mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    mean_u += static_cast<double>(face_template[2 * i]) / 5.0;
    mean_v += static_cast<double>(face_template[2 * i + 1]) / 5.0;
    mean_x += five[2 * i] / 5.0;
    mean_y += five[2 * i + 1] / 5.0;
  }
  double dot = 0, cross = 0, norm = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double u = static_cast<double>(face_template[2 * i]) - mean_u;
    const double v = static_cast<double>(face_template[2 * i + 1]) - mean_v;
    const double x = five[2 * i] - mean_x;
    const double y = five[2 * i + 1] - mean_y;
    dot += u * x + v * y;
    cross += u * y - v * x;
    norm += u * u + v * v;
  }
  const double a = dot / std::max(norm, 1e-9);
  const double b = cross / std::max(norm, 1e-9);
  CropFrame frame;
  frame.side = std::max(std::hypot(a, b), 1e-3);
  frame.angle = std::atan2(b, a);
  frame.cx = mean_x - a * (mean_u - 0.5) + b * (mean_v - 0.5);
  frame.cy = mean_y - b * (mean_u - 0.5) - a * (mean_v - 0.5);
  return frame;
}

CropFrame frame_on_points(std::span<const float> points) {
  double low_x = points[0], high_x = points[0], low_y = points[1], high_y = points[1];
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) {
    low_x = std::min<double>(low_x, points[i]);
    high_x = std::max<double>(high_x, points[i]);
    low_y = std::min<double>(low_y, points[i + 1]);
    high_y = std::max<double>(high_y, points[i + 1]);
  }
  CropFrame frame;
  frame.cx = 0.5 * (low_x + high_x);
  frame.cy = 0.5 * (low_y + high_y);
  frame.side = std::max(1.0, kPointsMargin * std::max(high_x - low_x, high_y - low_y));
  return frame;
}

CropFrame frame_on_picture(const Still& still) {
  CropFrame frame;
  frame.cx = 0.5 * still.width;
  frame.cy = 0.5 * still.height;
  frame.side = std::max(still.width, still.height);
  return frame;
}

const std::array<int, 68>& mirror_index() {
  static const std::array<int, 68> index = make_mirror_index();
  return index;
}

}  // namespace mien::learn
