#include "media/moment_warp.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "media/align.h"

namespace mien::media {
namespace {

using Five = std::array<double, 10>;
using Shape = std::array<double, 136>;  // 68 points in the square

// How far a point's shift reaches, in sides of the square: about the distance between neighbouring
// features, so that wrong single points are averaged away.
constexpr double kReach = 0.08;
// A face that needs more than this is a wrong set of points rather than an odd face.
constexpr double kMostShift = 0.12;
// Sides of the square in longer sides of the picture, between which a fit is believed.
constexpr double kLeastSide = 0.3;
constexpr double kMostSide = 3.0;

Five five_of(const MomentStill& still) {
  Landmarks landmarks;
  landmarks.xy = still.points;
  return five_points(landmarks);
}

FaceMap whole_picture(const MomentStill& still) {
  FaceMap map;
  map.a = std::max(still.width, still.height);
  map.x0 = 0.5 * (still.width - map.a);
  map.y0 = 0.5 * (still.height - map.a);
  return map;
}

std::array<double, 2> to_square(const FaceMap& map, double x, double y) {
  const double norm = map.a * map.a + map.b * map.b;
  const double dx = x - map.x0;
  const double dy = y - map.y0;
  return {(map.a * dx + map.b * dy) / norm, (map.a * dy - map.b * dx) / norm};
}

// The similarity from mean places in the square to the picture; the whole picture when the points
// give none that can be believed.
FaceMap fit_map(const MomentStill& still, const Five& mean_places, bool& believed) {
  FaceMap map = whole_picture(still);
  const double longer = map.a;
  believed = false;
  if (!still.has_points) return map;
  const auto fit = fit_similarity(mean_places, five_of(still));
  if (!fit.ok()) return map;
  const double side = std::sqrt(fit->m[0] * fit->m[0] + fit->m[3] * fit->m[3]);
  if (!(side > kLeastSide * longer && side < kMostSide * longer)) return map;
  map.a = fit->m[0];
  map.b = fit->m[3];
  map.x0 = fit->m[2];
  map.y0 = fit->m[5];
  believed = true;
  return map;
}

// Mean places of the five points in the pictures as they are framed; false when none has points.
bool mean_five(const MomentStills& stills, Five& mean) {
  mean.fill(0.0);
  std::size_t count = 0;
  for (const MomentStill& still : stills.stills) {
    if (!still.has_points) continue;
    const FaceMap whole = whole_picture(still);
    const Five five = five_of(still);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto place = to_square(whole, five[2 * i], five[2 * i + 1]);
      mean[2 * i] += place[0];
      mean[2 * i + 1] += place[1];
    }
    ++count;
  }
  for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(count, 1));
  return count > 0;
}

Shape shape_of(const MomentStill& still, const FaceMap& map) {
  Shape shape{};
  for (std::size_t i = 0; i < 68; ++i) {
    const auto place = to_square(map, static_cast<double>(still.points[2 * i]),
                                 static_cast<double>(still.points[2 * i + 1]));
    shape[2 * i] = place[0];
    shape[2 * i + 1] = place[1];
  }
  return shape;
}

// What each point of the mean face contributes to each node: kernel regression (Nadaraya 1964,
// Watson 1964) with the kernel (1 + d^2 / reach^2)^-2, which needs no exponential.
std::vector<double> node_weights(const Shape& mean) {
  std::vector<double> weights(static_cast<std::size_t>(kWarpNodes) * 68);
  for (int n = 0; n < kWarpNodes; ++n) {
    const double u = static_cast<double>(n % (kWarpCells + 1)) / kWarpCells;
    const double v = static_cast<double>(n / (kWarpCells + 1)) / kWarpCells;
    const auto row = std::span(weights).subspan(static_cast<std::size_t>(n) * 68, 68);
    double sum = 0;
    for (std::size_t i = 0; i < 68; ++i) {
      const double dx = mean[2 * i] - u;
      const double dy = mean[2 * i + 1] - v;
      const double near = 1.0 / (1.0 + (dx * dx + dy * dy) / (kReach * kReach));
      row[i] = near * near;
      sum += row[i];
    }
    for (double& weight : row) weight /= sum;
  }
  return weights;
}

void set_shift(FaceMap& map, const Shape& shape, const Shape& mean,
               const std::vector<double>& weights) {
  for (std::size_t n = 0; n < kWarpNodes; ++n) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      double shift = 0;
      for (std::size_t i = 0; i < 68; ++i) {
        shift += weights[n * 68 + i] * (shape[2 * i + axis] - mean[2 * i + axis]);
      }
      map.shift[2 * n + axis] = static_cast<float>(std::clamp(shift, -kMostShift, kMostShift));
    }
  }
}

void set_levels(const MomentStills& stills, const MomentStill& still, FaceMap& map) {
  const std::size_t count =
      static_cast<std::size_t>(still.width) * static_cast<std::size_t>(still.height);
  const std::uint8_t* p = stills.pixels_of(still);
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += p[i];
    squares += static_cast<std::uint64_t>(p[i]) * p[i];
  }
  const double n = static_cast<double>(count);
  const double mean = static_cast<double>(sum) / n;
  const double variance = static_cast<double>(squares) / n - mean * mean;
  map.mean = static_cast<float>(mean);
  map.deviation = static_cast<float>(std::sqrt(std::max(variance, 1.0)));
}

}  // namespace

std::vector<FaceMap> map_faces(const MomentStills& stills) {
  std::vector<FaceMap> maps;
  Five places{};
  const bool any_points = mean_five(stills, places);
  std::vector<bool> believed(stills.stills.size(), false);
  Shape mean{};
  double faces = 0;
  for (std::size_t k = 0; k < stills.stills.size(); ++k) {
    const MomentStill& still = stills.stills[k];
    bool fits = false;
    maps.push_back(any_points ? fit_map(still, places, fits) : whole_picture(still));
    set_levels(stills, still, maps.back());
    believed[k] = fits;
    if (!fits) continue;
    const Shape shape = shape_of(still, maps.back());
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += shape[i];
    faces += 1;
  }
  if (!(faces > 0)) return maps;
  for (double& value : mean) value /= faces;
  const std::vector<double> weights = node_weights(mean);
  for (std::size_t k = 0; k < maps.size(); ++k) {
    if (believed[k]) set_shift(maps[k], shape_of(stills.stills[k], maps[k]), mean, weights);
  }
  return maps;
}

std::array<double, 2> shift_at(const WarpField& field, double u, double v) {
  const double x = std::clamp(u, 0.0, 1.0) * kWarpCells;
  const double y = std::clamp(v, 0.0, 1.0) * kWarpCells;
  const int cx = std::min(static_cast<int>(x), kWarpCells - 1);
  const int cy = std::min(static_cast<int>(y), kWarpCells - 1);
  const double fx = x - cx;
  const double fy = y - cy;
  std::array<double, 2> out{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto at = [&](int column, int row) {
      const auto node = static_cast<std::size_t>(row * (kWarpCells + 1) + column);
      return static_cast<double>(field[2 * node + axis]);
    };
    const double top = at(cx, cy) + (at(cx + 1, cy) - at(cx, cy)) * fx;
    const double bottom = at(cx, cy + 1) + (at(cx + 1, cy + 1) - at(cx, cy + 1)) * fx;
    out[axis] = top + (bottom - top) * fy;
  }
  return out;
}

}  // namespace mien::media
