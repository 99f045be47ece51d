// What annotated.mp4 shows on top of the video.
#pragma once

#include <string>
#include <vector>

#include "media/draw.h"
#include "media/image.h"

namespace mien::pipeline {

// A face and what is written over it. Pixels of the original frame.
struct OverlayBox {
  double x = 0, y = 0, w = 0, h = 0;
  std::string caption;   // "1 happiness 93 %"
  media::Color color{};  // of the expression; white while none is known
};

// How much the parts of a face count, [grid, grid] in 0..1, and where they lie on the original
// frame (cell (column, row) covers column..column + 1, row..row + 1).
struct OverlayHeat {
  media::Affine to_frame;
  std::vector<float> values;
  int grid = 0;
};

// A piece of a face's recent past in the strip: 0 (left) .. 1 (right, now), and the probabilities.
struct OverlayCell {
  double from = 0;
  double to = 0;
  std::vector<float> probabilities;
};

struct OverlayLane {
  int id = 0;
  std::vector<OverlayCell> cells;
};

struct Overlay {
  std::vector<OverlayHeat> heats;  // beneath everything else
  std::vector<OverlayBox> boxes;
  std::vector<OverlayLane> lanes;
  std::vector<media::Color> class_colors;
};

// Draws on `image`, whose pixels are `scale` times those of the original frame.
void draw_overlay(media::Image& image, const Overlay& overlay, double scale);

}  // namespace mien::pipeline
