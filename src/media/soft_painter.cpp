#include "media/soft_painter.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace mien::media {
namespace {

constexpr int kShift = 4;        // sub-pixel bits of OpenCV's drawing
constexpr double kFar = 8000.0;  // pixels; keeps the fixed-point numbers in range
constexpr double kLeastBlurPx = 0.3;

}  // namespace

Rgb mix(const Rgb& a, const Rgb& b, double share_of_b) {
  Rgb out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = a[c] + (b[c] - a[c]) * share_of_b;
  return out;
}

Rgb scaled(const Rgb& colour, double factor) {
  Rgb out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = std::clamp(colour[c] * factor, 0.0, 255.0);
  return out;
}

// The part of the picture that a drawing touches, and its coverage there.
struct SoftPainter::Area {
  cv::Rect roi;
  cv::Mat mask;                   // CV_8UC1 of the roi's size
  std::vector<cv::Point> points;  // fixed point, from the roi's corner

  bool empty() const { return roi.empty() || points.size() < 2; }
};

SoftPainter::SoftPainter(cv::Mat& picture, Point2 origin_px, double scale)
    : picture_(picture), origin_(origin_px), scale_(scale) {}

SoftPainter::Area SoftPainter::area_of(const std::vector<Point2>& points, double reach) const {
  Area area;
  if (points.empty()) return area;
  std::vector<Point2> px;
  double left = kFar, top = kFar, right = -kFar, bottom = -kFar;
  for (const Point2& p : points) {
    const Point2 at{std::clamp(origin_.x + scale_ * p.x, -kFar, kFar),
                    std::clamp(origin_.y + scale_ * p.y, -kFar, kFar)};
    left = std::min(left, at.x), right = std::max(right, at.x);
    top = std::min(top, at.y), bottom = std::max(bottom, at.y);
    px.push_back(at);
  }
  const double margin = reach * scale_ + 3;
  const cv::Point corner(static_cast<int>(std::floor(left - margin)),
                         static_cast<int>(std::floor(top - margin)));
  const cv::Point end(static_cast<int>(std::ceil(right + margin)),
                      static_cast<int>(std::ceil(bottom + margin)));
  area.roi = cv::Rect(corner, end) & cv::Rect(0, 0, picture_.cols, picture_.rows);
  if (area.roi.empty()) return area;
  area.mask = cv::Mat::zeros(area.roi.size(), CV_8UC1);
  // OpenCV's pixel (0,0) has its centre at 0; ours covers 0..1.
  for (const Point2& p : px) {
    area.points.emplace_back(
        static_cast<int>(std::lround((p.x - 0.5 - area.roi.x) * (1 << kShift))),
        static_cast<int>(std::lround((p.y - 0.5 - area.roi.y) * (1 << kShift))));
  }
  return area;
}

void SoftPainter::blend(Area& area, const Rgb& colour, double opacity, double blur) {
  if (blur * scale_ > kLeastBlurPx) {
    cv::GaussianBlur(area.mask, area.mask, {0, 0}, blur * scale_, blur * scale_,
                     cv::BORDER_CONSTANT);
  }
  const double share = std::clamp(opacity, 0.0, 1.0) / 255.0;
  for (int y = 0; y < area.roi.height; ++y) {
    const std::uint8_t* mask = area.mask.ptr<std::uint8_t>(y);
    const std::uint8_t* clip =
        clip_.empty() ? nullptr : clip_.ptr<std::uint8_t>(area.roi.y + y) + area.roi.x;
    std::uint8_t* out = picture_.ptr<std::uint8_t>(area.roi.y + y) + 3 * area.roi.x;
    for (int x = 0; x < area.roi.width; ++x, out += 3) {
      if (mask[x] == 0) continue;
      double part = share * mask[x];
      if (clip != nullptr) part *= clip[x] / 255.0;
      for (std::size_t c = 0; c < 3; ++c) {
        out[c] = static_cast<std::uint8_t>(std::lround(out[c] + (colour[c] - out[c]) * part));
      }
    }
  }
}

void SoftPainter::fill(const std::vector<Point2>& outline, const Rgb& colour, double opacity,
                       double blur) {
  if (opacity <= 0) return;
  Area area = area_of(outline, 3 * blur);
  if (area.empty()) return;
  const std::vector<std::vector<cv::Point>> polygons{area.points};
  cv::fillPoly(area.mask, polygons, cv::Scalar(255), cv::LINE_AA, kShift);
  blend(area, colour, opacity, blur);
}

void SoftPainter::stroke(const std::vector<Point2>& line, double width, const Rgb& colour,
                         double opacity, double blur) {
  if (opacity <= 0) return;
  Area area = area_of(line, 3 * blur + width);
  if (area.empty()) return;
  // Lines thinner than a pixel become fainter instead.
  const double px = width * scale_;
  const int thickness = std::max(1, static_cast<int>(std::lround(px)));
  const std::vector<std::vector<cv::Point>> lines{area.points};
  cv::polylines(area.mask, lines, false, cv::Scalar(255), thickness, cv::LINE_AA, kShift);
  blend(area, colour, opacity * std::min(1.0, px), blur);
}

void SoftPainter::ellipse(Point2 centre, double rx, double ry, const Rgb& colour, double opacity,
                          double blur) {
  constexpr int kCorners = 40;
  std::vector<Point2> outline;
  for (int k = 0; k < kCorners; ++k) {
    const double angle = 2 * std::numbers::pi * k / kCorners;
    outline.push_back({centre.x + rx * std::cos(angle), centre.y + ry * std::sin(angle)});
  }
  fill(outline, colour, opacity, blur);
}

void SoftPainter::clip(const std::vector<Point2>& outline) {
  clip_ = cv::Mat::zeros(picture_.size(), CV_8UC1);
  Area area = area_of(outline, 0);
  if (area.empty()) return;
  const std::vector<std::vector<cv::Point>> polygons{area.points};
  cv::fillPoly(area.mask, polygons, cv::Scalar(255), cv::LINE_AA, kShift);
  area.mask.copyTo(clip_(area.roi));
}

void SoftPainter::clip_off() {
  clip_.release();
}

}  // namespace mien::media
