// How the faces of a collection lie on each other: every picture has a map from the face's square
// (0..1 on both axes, framed as the collection's mean picture) to its pixels, in two steps: a
// similarity that brings eyes, nose and mouth to their mean places, and a smooth field of small
// shifts that brings all 68 points there. Inside this folder only.
#pragma once

#include <array>
#include <vector>

#include "media/moment_stills.h"

namespace mien::media {

// The field of shifts is stored on (kWarpCells + 1)^2 nodes over the square, rows first.
inline constexpr int kWarpCells = 8;
inline constexpr int kWarpNodes = (kWarpCells + 1) * (kWarpCells + 1);
using WarpField = std::array<float, 2 * kWarpNodes>;  // x, y of each node, in sides of the square

// One picture's place. A point (u, v) of the square where the mean face has a feature shows the
// same feature of this face at similarity((u, v) + shift(u, v)).
struct FaceMap {
  // x = a u - b v + x0, y = b u + a v + y0: picture pixels.
  double a = 1, b = 0, x0 = 0, y0 = 0;
  WarpField shift{};    // zeros for a picture without points
  float mean = 0;       // of the picture's grey levels, 0..255
  float deviation = 1;  // their standard deviation, at least 1

  std::array<double, 2> to_picture(double u, double v) const {
    return {a * u - b * v + x0, b * u + a * v + y0};
  }
};

// The maps of all pictures, in their order. Pictures without points, and those whose points make no
// sensible face, are laid on whole. Where no picture has points, all are.
std::vector<FaceMap> map_faces(const MomentStills& stills);

// The shift of a field at (u, v); outside the square that of its edge.
std::array<double, 2> shift_at(const WarpField& field, double u, double v);

}  // namespace mien::media
