// From the flat picture of a face to the picture of a head: shading of the relief, and the warp
// that a pose means. Private to media: it shows OpenCV.
#pragma once

#include <opencv2/core.hpp>

#include "media/face_paint.h"
#include "media/face_surface.h"

namespace mien::media {

struct Light {
  double x = 0.3, y = -0.6;  // where it comes from: right, down (so -0.6 is from above) ...
  double z = 0.8;            // ... and from the viewer's side; need not be of length 1
  double contrast = 0.5;     // 0: even light from everywhere .. 1: hard
  double brightness = 1.0;
};

// Multiplies the flat picture by the light that its places receive under that pose: a soft Lambert
// term, darker hollows, the shadow of the nose and a faint gloss.
void shade_face(cv::Mat& flat, const FaceTexture& texture, const FaceShape& shape,
                const FaceSurface& surface, const HeadPose& pose, const Light& light);

// Draws the head into `picture` (CV_8UC3), over what is there. The pose is in pixels of `picture`.
void draw_head(cv::Mat& picture, const cv::Mat& flat, const FaceTexture& texture,
               const FaceSurface& surface, const HeadPose& pose);

}  // namespace mien::media
