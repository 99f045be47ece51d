// Where a face's crop lies in its picture.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "learn/data/still_set.h"

namespace mien::learn {

// Maps crop coordinates (u, v in 0..1) to picture pixels:
//   x = cx + side * ( cos * s * (u - 0.5) - sin * (v - 0.5)),
//   y = cy + side * ( sin * s * (u - 0.5) + cos * (v - 0.5)),   s = -1 when mirrored, else 1.
struct CropFrame {
  double cx = 0.0, cy = 0.0;
  double side = 1.0;
  double angle = 0.0;  // radians
  bool mirrored = false;

  std::array<double, 2> to_picture(double u, double v) const;
  std::array<double, 2> to_crop(double x, double y) const;
};

// Left eye, right eye, nose tip, left and right mouth corner (left as seen in the picture) of 68
// points.
std::array<double, 10> five_points(std::span<const float> points);

// Mean five points of the framed pictures, as fractions of the picture: where FERPlus has its
// faces. Pictures whose spread exceeds 0.04 are left out. Empty when no picture has points.
std::vector<float> mean_face_template(const StillSet& set);

// The crop in which `points` come to lie on the template (least-squares similarity, Umeyama 1991).
CropFrame frame_on_template(std::span<const float> points, std::span<const float> face_template);

// Square around the 68 points with 30 % margin: the crop for which the landmark net is trained.
CropFrame frame_on_points(std::span<const float> points);

// The whole picture.
CropFrame frame_on_picture(const Still& still);

// Index of the mirror image of each of the 68 points.
const std::array<int, 68>& mirror_index();

}  // namespace mien::learn
