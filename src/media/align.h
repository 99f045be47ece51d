// Cuts faces out of frames: the square that the landmark network reads, and the upright, centred
// crop that the expression model reads. All coordinates: pixel (0,0) covers 0..1.
#pragma once

#include <array>
#include <span>

#include "media/face_detector.h"
#include "media/image.h"
#include "media/landmarks.h"

namespace mien::media {

// (x, y) -> (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]).
struct Affine {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};

  std::array<double, 2> apply(double x, double y) const {
    return {m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]};
  }
  // The way back; the identity when this map is singular.
  Affine inverse() const;
  // Frame pixels per crop pixel: sqrt |determinant|.
  double scale() const;
};

// What lies outside the frame.
enum class Border { kBlack, kReplicate };

// A crop and where it came from: to_frame maps crop pixels to frame pixels.
struct Crop {
  Image image;
  Affine to_frame;
};

// size x size pixels of the frame through `to_frame` (crop pixel -> frame pixel), bilinear, and
// when it shrinks the frame first averaged over the area of a crop pixel so that nothing aliases.
// Error kInvalidArgument: empty frame, size outside 1..4096, a map that is singular or not finite.
Result<Crop> warp_crop(const ImageView& frame, const Affine& to_frame, int size, Border border);

// The square with the centre of `box` and `factor` times its longer side, `size` pixels a side.
// Errors as warp_crop (a box without area).
Result<Crop> square_crop(const ImageView& frame, const FaceBox& box, double factor, int size,
                         Border border);

// The landmark network's input: factor 1.1, black outside (shared models' README).
Result<Crop> landmark_crop(const ImageView& frame, const FaceBox& box, int size = 112);

// Where five points belong in an aligned crop, as fractions of its side: x, y of the right eye's
// centre (the one at the image's left), left eye's centre, nose tip, right mouth corner, left mouth
// corner.
using AlignTemplate = std::array<float, 10>;

// The five points of 68 (means of 36-41 and 42-47, point 30, 48, 54), in the template's order.
std::array<double, 10> five_points(const Landmarks& landmarks);

// The rotation, scale and shift (no mirroring) that brings `from` nearest to `to` in the
// least-squares sense (Umeyama, IEEE PAMI 13(4), 1991, eq. 40-43, restricted to two dimensions). n
// x 2 values each, n >= 2. Error kInvalidArgument when the sizes differ, a value is not finite or
// `from` has no extent.
Result<Affine> fit_similarity(std::span<const double> from, std::span<const double> to);

// The same, but of four or more points one may be wrong: when the worst residual is above 12 % of
// the target's spread, and leaving out one point brings it down to a sixth, that point is left out.
// Below 6 % of the spread, or a third, it is not; in between the two fits are mixed, so that the
// crops of a face whose mouth slowly widens do not jump.
Result<Affine> fit_similarity_robust(std::span<const double> from, std::span<const double> to);

// The face upright and centred. Falls back on nothing: an Error (kInvalidArgument) when the points
// have no sensible fit (not finite, all in one place, or a crop of less than 2 frame pixels); then
// use align_box.
Result<Crop> align_face(const ImageView& frame, const Landmarks& landmarks,
                        const AlignTemplate& target, int size, Border border = Border::kBlack);

// The crop from the box alone (no rotation): a square with the centre of the box, its longer side
// grown by `margin` on every side (0.1: 1.2 times as wide), and moved by `shift_y` box heights
// downwards (detectors differ in how much forehead they include).
Result<Crop> align_box(const ImageView& frame, const FaceBox& box, double margin, int size,
                       double shift_y = 0.0, Border border = Border::kBlack);

}  // namespace mien::media
