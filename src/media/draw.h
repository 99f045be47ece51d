// Draws on pictures: enough for an annotated video. Coordinates are pixels; whatever lies outside
// the picture is left out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "media/align.h"
#include "media/image.h"

namespace mien::media {

using Color = std::array<std::uint8_t, 3>;  // R, G, B

struct TextSize {
  int width = 0;
  int height = 0;    // above the base line
  int baseline = 0;  // below it
};

// The outline of a rectangle, `thickness` pixels wide (>= 1), antialiased where it is not
// axis-parallel.
void draw_rectangle(Image& image, int x, int y, int width, int height, Color color, int thickness);

// A filled rectangle; opacity 0 (nothing) .. 1 (covers).
void fill_rectangle(Image& image, int x, int y, int width, int height, Color color,
                    float opacity = 1.0F);

// Tints the picture with a square grid of values: 0 leaves it as it is, 1 covers it with `opacity`
// (0..1), and in between the tint changes evenly from one cell's centre to the next. values: [grid,
// grid], row by row; others than 0..1 count as the nearer of the two, NaN as 0. `to_image` maps the
// grid to pixels, cell (column, row) covering column..column + 1, row..row + 1; one that is
// singular or not finite draws nothing.
void draw_heat(Image& image, const Affine& to_image, std::span<const float> values, int grid,
               Color color, float opacity);

void draw_line(Image& image, int x0, int y0, int x1, int y1, Color color, int thickness);
void draw_disc(Image& image, int x, int y, int radius, Color color);

// One line of ASCII text (other characters appear as '?'), capitals about `height` pixels tall, its
// base line starting at (x, y).
void draw_text(Image& image, int x, int y, const std::string& text, int height, Color color);
TextSize measure_text(const std::string& text, int height);

}  // namespace mien::media
