// A face on a frame -> the upright, centred crop that the recogniser was trained on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/align.h"
#include "mien/recognizer.hpp"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// How a detector's box lies around the 68 points: the square around the points has the box's centre
// moved down by `shift_y` box heights, and `scale` times its height.
struct BoxShape {
  double shift_y = 0;
  double scale = 1;
};

// By FaceDetector::name().
BoxShape box_shape(const std::string& detector);

// A square of the frame in pixels.
struct Square {
  double cx = 0;
  double cy = 0;
  double side = 0;
};

Square square_around(const media::Landmarks& points);
Square points_square(const media::FaceBox& box, const BoxShape& shape);

// Whether 68 points look like a face at all: finite, eyes above the mouth and apart, and where
// `expected` (the square in which they were looked for) has them.
bool plausible(const media::Landmarks& points, const Square& expected);

// media's landmark seam over the engine's network. One thread.
class PointFinder : public media::LandmarkNet {
 public:
  PointFinder(LandmarkLocator::Session session, int input_size, BoxShape shape)
      : session_(std::move(session)), input_size_(input_size), shape_(shape) {}

  // Looks twice: in the square that the box suggests, then in the one around what was found there,
  // which is what the network was trained on, whatever the detector. quality is 1 or, when the
  // points are not plausible, 0.
  Result<media::Landmarks> locate(const media::ImageView& frame,
                                  const media::FaceBox& box) override;

  // Once, in the square around the points of the frame before; falls back on locate() when that
  // leads astray. Half the work, and steadier, as the detector's jitter does not come in.
  Result<media::Landmarks> follow(const media::ImageView& frame, const media::FaceBox& box,
                                  const media::Landmarks& before);

 private:
  Result<media::Landmarks> look(const media::ImageView& frame, const Square& square);

  LandmarkLocator::Session session_;
  int input_size_;
  BoxShape shape_;
};

// Crops for one recogniser. One thread.
class FaceAligner {
 public:
  // `face_template` as Recognizer::face_template; empty means that of FERPlus. `clocks` must
  // outlive the aligner; it takes the time of landmarks and of align.
  FaceAligner(PointFinder finder, const std::vector<float>& face_template, int crop_size,
              BoxShape shape, Clocks& clocks);

  // The points of a face, nullopt when there are none to trust (a profile, a hand before the face,
  // a box without area). `before` are the same face's points on an earlier frame, if recent.
  // Errors: the network's.
  Result<std::optional<media::Landmarks>> points(const media::ImageView& frame,
                                                 const media::FaceBox& box,
                                                 const std::optional<media::Landmarks>& before);

  // The crop, crop_size x crop_size, and where it lies on the frame: by the face's points, or
  // without them by the box alone. Error kInvalidArgument when not even the box has an area.
  Result<media::Crop> crop(const media::ImageView& frame, const media::FaceBox& box,
                           const std::optional<media::Landmarks>& points);

 private:
  Result<media::Landmarks> find(const media::ImageView& frame, const media::FaceBox& box,
                                const std::optional<media::Landmarks>& before);

  PointFinder finder_;
  std::vector<double> target_;  // five points in pixels of the crop
  int crop_size_;
  BoxShape shape_;
  Clocks& clocks_;
};

}  // namespace mien::pipeline
