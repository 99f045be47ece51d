// The 68 points of a face, and the seam through which a landmark network is plugged in.
#pragma once

#include <array>

#include "media/face_detector.h"
#include "media/image.h"

namespace mien::media {

// 68 points in the usual order (0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth).
struct Landmarks {
  std::array<float, 136> xy{};  // x0, y0, x1, y1, ... in pixels of the frame (centres at .5)
  float quality = 1.0F;         // 0..1, how far to trust them; below 0.5 align by the box instead
};

// A network that finds the points of the face in a box. Implemented by the pipeline over the
// engine.
class LandmarkNet {
 public:
  virtual ~LandmarkNet() = default;
  // Points of the face in `box` (pixels of `frame`), also in pixels of `frame`.
  virtual Result<Landmarks> locate(const ImageView& frame, const FaceBox& box) = 0;
};

}  // namespace mien::media
