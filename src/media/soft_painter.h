// Filled outlines and strokes with soft edges on an 8-bit RGB picture. Private to media: it shows
// OpenCV.
#pragma once

#include <array>
#include <opencv2/core.hpp>
#include <vector>

#include "media/face_model.h"

namespace mien::media {

using Rgb = std::array<double, 3>;  // 0..255

Rgb mix(const Rgb& a, const Rgb& b, double share_of_b);
Rgb scaled(const Rgb& colour, double factor);  // cut to 0..255

// Paints in units of its own: (x, y) lies at pixel (origin + scale * (x, y)). `opacity` 0..1;
// `blur` is the standard deviation of the edge in the same units. Nothing outside the picture is
// touched.
class SoftPainter {
 public:
  // The picture (CV_8UC3) must outlive the painter.
  SoftPainter(cv::Mat& picture, Point2 origin_px, double scale);

  void fill(const std::vector<Point2>& outline, const Rgb& colour, double opacity = 1,
            double blur = 0);
  void stroke(const std::vector<Point2>& line, double width, const Rgb& colour, double opacity = 1,
              double blur = 0);
  void ellipse(Point2 centre, double rx, double ry, const Rgb& colour, double opacity = 1,
               double blur = 0);

  // What follows is seen only inside the outline, until clip_off().
  void clip(const std::vector<Point2>& outline);
  void clip_off();

 private:
  struct Area;
  Area area_of(const std::vector<Point2>& points, double reach) const;
  void blend(Area& area, const Rgb& colour, double opacity, double blur);

  cv::Mat& picture_;
  Point2 origin_;
  double scale_;
  cv::Mat clip_;  // CV_8UC1 of the picture's size, or empty
};

}  // namespace mien::media
