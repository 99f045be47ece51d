// Paints the flat picture of a face: skin, lines, brows, eyes, nose, mouth, beard and the hair on
// the head, lit from everywhere. Shading and pose come later. Private to media: it shows OpenCV.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "media/face_model.h"
#include "media/soft_painter.h"

namespace mien::media {

// The flat picture covers these face units; pixel (column, row) is (x, y) =
// (kFlatLeft + column / scale, kFlatTop + row / scale).
inline constexpr double kFlatLeft = -1.9;
inline constexpr double kFlatTop = -1.85;
inline constexpr double kFlatRight = 1.9;
inline constexpr double kFlatBottom = 2.15;

// What does not change from frame to frame, over the flat picture.
struct FaceTexture {
  // Random grain from the seed; `scale_px` is in pixels per face unit.
  FaceTexture(const FaceLook& look, std::uint64_t seed, double scale_px);
  double scale;
  cv::Size size;  // of the flat picture
  cv::Mat skin;   // CV_8UC3
  cv::Mat hair;   // CV_8UC3
  cv::Mat cover;  // CV_32FC1, 0..1: how much of the place is hair
  cv::Mat lift;   // CV_32FC1: how far the hair stands off the head there, face units
};

// RGB of skin of that tone, 0 very light .. 1 very dark.
Rgb skin_colour(double tone);

// The whole flat picture (CV_8UC3), unlit.
cv::Mat paint_face(const FaceLook& look, const ActionUnits& units, const FaceShape& shape,
                   const FaceTexture& texture, Point2 gaze);

// Steps of paint_face, in that order.
void paint_skin_lines(SoftPainter& painter, const FaceLook& look, const ActionUnits& units,
                      const FaceShape& shape);
void paint_beard(SoftPainter& painter, const FaceLook& look, const FaceShape& shape);
void paint_brows(SoftPainter& painter, const FaceLook& look, const FaceShape& shape);
void paint_eyes(SoftPainter& painter, const FaceLook& look, const FaceShape& shape, Point2 gaze);
void paint_nose(SoftPainter& painter, const FaceLook& look, const FaceShape& shape);
void paint_mouth(SoftPainter& painter, const FaceLook& look, const FaceShape& shape);

}  // namespace mien::media
