// From a still to a network input: a randomly moved crop, with the light and the wear that cameras
// give.
#pragma once

#include <span>
#include <vector>

#include "learn/data/face_geometry.h"
#include "learn/data/rng.h"
#include "learn/data/still_set.h"

namespace mien::learn {

struct AugmentOptions {
  double rotate_deg = 12.0;  // uniform +-
  double scale = 0.12;       // side times exp(uniform +-)
  double shift = 0.06;       // of the side, uniform +-, each axis
  double flip = 0.5;
  double gamma = 0.5;        // pixel ^ exp(uniform +-): skins and exposures the pictures lack
  double contrast = 0.3;     // times exp(uniform +-)
  double brightness = 0.15;  // plus uniform +-, of the full range
  double side_light = 0.4;   // strength of a random linear light gradient
  double noise = 0.03;       // sigma up to this, of the full range
  double blur = 0.3;         // probability that a sharp picture is seen through fewer pixels
  double erase = 0.25;       // probability of a grey box over 2-20 % of the crop
};

// Luma crop [size * size], 0..1, bilinear (supersampled when the picture is larger than the crop).
// Outside the picture the edge is repeated.
void render_crop(const StillSet& set, const Still& still, const CropFrame& frame, int size,
                 std::span<float> out);

// Moves a crop randomly.
CropFrame jitter(CropFrame frame, const AugmentOptions& options, Rng& rng);

// Light, noise, blur and erasing, in place on a crop [size * size] of 0..1.
void photometric(std::span<float> crop, int size, const AugmentOptions& options, Rng& rng);

// Points of `still` as fractions of the crop, with left and right exchanged when it is mirrored.
std::vector<float> points_in_crop(const Still& still, const CropFrame& frame);

}  // namespace mien::learn
