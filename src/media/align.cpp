#include "media/align.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace mien::media {
namespace {

constexpr int kMostSide = 4096;
constexpr double kLeastCropPx = 2.0;  // a crop of fewer frame pixels shows nothing

bool usable(const Affine& map) {
  const bool finite =
      std::all_of(map.m.begin(), map.m.end(), [](double v) { return std::abs(v) < 1e7; });
  return finite && map.scale() > 1e-6;
}

// Crop pixel -> frame pixel for an upright square.
Affine square_map(double center_x, double center_y, double side, int size) {
  const double scale = side / size;
  return {{scale, 0, center_x - side / 2, 0, scale, center_y - side / 2}};
}

// The rectangle of frame pixels that a crop touches, one pixel of margin included, cut to the
// frame.
cv::Rect touched(const ImageView& frame, const Affine& map, int size) {
  double left = 1e9;
  double top = 1e9;
  double right = -1e9;
  double bottom = -1e9;
  for (const int corner : {0, 1, 2, 3}) {
    const auto [x, y] = map.apply((corner & 1) * size, (corner >> 1) * size);
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
  }
  const double margin = 2.0 + 2.0 * map.scale();
  auto cut = [](double v, int limit) {
    return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(limit)));
  };
  const int x0 = cut(std::floor(left - margin), frame.width);
  const int y0 = cut(std::floor(top - margin), frame.height);
  const int x1 = cut(std::ceil(right + margin), frame.width);
  const int y1 = cut(std::ceil(bottom + margin), frame.height);
  return {x0, y0, std::max(x1 - x0, 0), std::max(y1 - y0, 0)};
}

Crop warp(const ImageView& frame, const Affine& to_frame, int size, Border border) {
  Crop out{Image::black(size, size), to_frame};
  cv::Rect area = touched(frame, to_frame, size);
  if (area.empty()) {
    if (border == Border::kBlack) return out;
    // Wholly outside: what is repeated is the nearest edge.
    area = {std::clamp(area.x, 0, frame.width - 1), std::clamp(area.y, 0, frame.height - 1), 1, 1};
  }
  const cv::Mat whole(frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb),
                      frame.stride);
  cv::Mat source = whole(area);
  double shrink_x = 1;
  double shrink_y = 1;
  const double scale = to_frame.scale();
  if (scale > 1.0) {
    // Averaging over the area brings the source to about the crop's own resolution; bilinear does
    // the rest.
    const int width = std::max(static_cast<int>(std::lround(area.width / scale)), 1);
    const int height = std::max(static_cast<int>(std::lround(area.height / scale)), 1);
    cv::Mat reduced;
    cv::resize(source, reduced, {width, height}, 0, 0, cv::INTER_AREA);
    source = reduced;
    shrink_x = static_cast<double>(width) / area.width;
    shrink_y = static_cast<double>(height) / area.height;
  }
  // OpenCV counts from pixel centres, we from corners: crop (u, v) -> frame -> area -> reduced,
  // with the half pixels put in on the way there and taken out at the end.
  const auto& m = to_frame.m;
  const double half_x = m[0] * 0.5 + m[1] * 0.5 + m[2] - area.x;
  const double half_y = m[3] * 0.5 + m[4] * 0.5 + m[5] - area.y;
  const cv::Matx23d map(m[0] * shrink_x, m[1] * shrink_x, half_x * shrink_x - 0.5,  //
                        m[3] * shrink_y, m[4] * shrink_y, half_y * shrink_y - 0.5);
  cv::Mat target(size, size, CV_8UC3, out.image.rgb.data());
  cv::warpAffine(source, target, map, target.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 border == Border::kBlack ? cv::BORDER_CONSTANT : cv::BORDER_REPLICATE,
                 cv::Scalar::all(0));
  return out;
}

// The largest distance between where the map puts a point and where it belongs.
double worst_residual(const Affine& map, std::span<const double> from, std::span<const double> to) {
  double worst = 0;
  for (std::size_t i = 0; i + 1 < from.size(); i += 2) {
    const auto [x, y] = map.apply(from[i], from[i + 1]);
    worst = std::max(worst, std::hypot(x - to[i], y - to[i + 1]));
  }
  return worst;
}

// 0 up to `low`, 1 from `high` on, straight between.
double ramp(double x, double low, double high) {
  return std::clamp((x - low) / (high - low), 0.0, 1.0);
}

std::vector<double> without(std::span<const double> points, std::size_t left_out) {
  std::vector<double> out(points.begin(), points.end());
  const auto at = out.begin() + static_cast<std::ptrdiff_t>(2 * left_out);
  out.erase(at, at + 2);
  return out;
}

}  // namespace

double Affine::scale() const {
  return std::sqrt(std::abs(m[0] * m[4] - m[1] * m[3]));
}

Affine Affine::inverse() const {
  const double det = m[0] * m[4] - m[1] * m[3];
  if (!(std::abs(det) > 1e-18)) return {};
  const double a = m[4] / det;
  const double b = -m[1] / det;
  const double c = -m[3] / det;
  const double d = m[0] / det;
  return {{a, b, -(a * m[2] + b * m[5]), c, d, -(c * m[2] + d * m[5])}};
}

Result<Crop> warp_crop(const ImageView& frame, const Affine& to_frame, int size, Border border) {
  if (frame.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty frame");
  if (size < 1 || size > kMostSide) {
    return make_error(ErrorCode::kInvalidArgument, "a crop of " + std::to_string(size) + " pixels");
  }
  if (!usable(to_frame)) return make_error(ErrorCode::kInvalidArgument, "a crop without extent");
  try {
    return warp(frame, to_frame, size, border);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what());
  }
}

Result<Crop> square_crop(const ImageView& frame, const FaceBox& box, double factor, int size,
                         Border border) {
  const double side = factor * static_cast<double>(std::max(box.w, box.h));
  if (!(box.w > 0 && box.h > 0 && side > 0) || size < 1) {
    return make_error(ErrorCode::kInvalidArgument, "a face box without area");
  }
  return warp_crop(frame,
                   square_map(static_cast<double>(box.x + box.w / 2),
                              static_cast<double>(box.y + box.h / 2), side, size),
                   size, border);
}

Result<Crop> landmark_crop(const ImageView& frame, const FaceBox& box, int size) {
  return square_crop(frame, box, 1.1, size, Border::kBlack);
}

std::array<double, 10> five_points(const Landmarks& landmarks) {
  auto mean = [&](int first, int last, int axis) {
    double sum = 0;
    for (int i = first; i <= last; ++i) sum += static_cast<double>(landmarks.xy[2 * i + axis]);
    return sum / (last - first + 1);
  };
  std::array<double, 10> out{};
  static constexpr int kGroups[5][2] = {{36, 41}, {42, 47}, {30, 30}, {48, 48}, {54, 54}};
  for (int p = 0; p < 5; ++p) {
    for (const int axis : {0, 1}) out[2 * p + axis] = mean(kGroups[p][0], kGroups[p][1], axis);
  }
  return out;
}

Result<Affine> fit_similarity(std::span<const double> from, std::span<const double> to) {
  const std::size_t n = from.size() / 2;
  if (from.size() != to.size() || from.size() % 2 != 0 || n < 2) {
    return make_error(ErrorCode::kInvalidArgument, "a fit needs two or more pairs of points");
  }
  double fx = 0, fy = 0, tx = 0, ty = 0;
  for (std::size_t i = 0; i < n; ++i) {
    fx += from[2 * i] / static_cast<double>(n);
    fy += from[2 * i + 1] / static_cast<double>(n);
    tx += to[2 * i] / static_cast<double>(n);
    ty += to[2 * i + 1] / static_cast<double>(n);
  }
  // In the plane Umeyama's rotation and scale are one complex factor a + ib = sum conj(f) t / sum
  // |f|^2.
  double real = 0, imaginary = 0, extent = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = from[2 * i] - fx;
    const double y = from[2 * i + 1] - fy;
    const double u = to[2 * i] - tx;
    const double v = to[2 * i + 1] - ty;
    real += x * u + y * v;
    imaginary += x * v - y * u;
    extent += x * x + y * y;
  }
  const double a = real / extent;
  const double b = imaginary / extent;
  if (!(extent > 1e-12) || !std::isfinite(a) || !std::isfinite(b)) {
    return make_error(ErrorCode::kInvalidArgument, "points without extent");
  }
  return Affine{{a, -b, tx - (a * fx - b * fy), b, a, ty - (b * fx + a * fy)}};
}

Result<Affine> fit_similarity_robust(std::span<const double> from, std::span<const double> to) {
  MIEN_ASSIGN(const Affine all, fit_similarity(from, to));
  const std::size_t n = from.size() / 2;
  double spread = 0;
  for (std::size_t i = 1; i < n; ++i) {
    spread = std::max(spread, std::hypot(to[2 * i] - to[0], to[2 * i + 1] - to[1]));
  }
  const double worst = worst_residual(all, from, to);
  const double wrong = spread > 0.0 ? ramp(worst / spread, 0.06, 0.12) : 0.0;
  if (n < 4 || wrong <= 0.0) return all;
  // A least-squares fit bends towards a wrong point and hides it; a fit without it does not. So
  // each point is left out in turn.
  Affine best = all;
  double best_residual = worst / 3;
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<double> some_from = without(from, i);
    const std::vector<double> some_to = without(to, i);
    const Result<Affine> fit = fit_similarity(some_from, some_to);
    if (!fit.ok()) continue;
    const double residual = worst_residual(*fit, some_from, some_to);
    if (residual < best_residual) {
      best = *fit;
      best_residual = residual;
    }
  }
  const double share = wrong * ramp(1.0 - 3.0 * best_residual / worst, 0.0, 0.5);
  Affine mixed = all;
  for (std::size_t i = 0; i < mixed.m.size(); ++i) mixed.m[i] += share * (best.m[i] - all.m[i]);
  return mixed;
}

Result<Crop> align_face(const ImageView& frame, const Landmarks& landmarks,
                        const AlignTemplate& target, int size, Border border) {
  const std::array<double, 10> points = five_points(landmarks);
  std::array<double, 10> places{};
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = static_cast<double>(target[i]) * size;
  }
  MIEN_ASSIGN(const Affine to_crop, fit_similarity_robust(points, places));
  if (!usable(to_crop)) return make_error(ErrorCode::kInvalidArgument, "points without extent");
  const Affine to_frame = to_crop.inverse();
  if (to_frame.scale() * size < kLeastCropPx) {
    return make_error(ErrorCode::kInvalidArgument, "a face of less than 2 pixels");
  }
  return warp_crop(frame, to_frame, size, border);
}

Result<Crop> align_box(const ImageView& frame, const FaceBox& box, double margin, int size,
                       double shift_y, Border border) {
  FaceBox moved = box;
  moved.y += static_cast<float>(shift_y) * box.h;
  return square_crop(frame, moved, 1.0 + 2.0 * margin, size, border);
}

}  // namespace mien::media
