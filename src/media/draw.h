// Draws on pictures: enough for an annotated video. Coordinates are pixels; whatever lies outside
// the picture is left out.
#pragma once

#include <array>
#include <cstdint>
#include <string>

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

void draw_line(Image& image, int x0, int y0, int x1, int y1, Color color, int thickness);
void draw_disc(Image& image, int x, int y, int radius, Color color);

// One line of ASCII text (other characters appear as '?'), capitals about `height` pixels tall, its
// base line starting at (x, y).
void draw_text(Image& image, int x, int y, const std::string& text, int height, Color color);
TextSize measure_text(const std::string& text, int height);

}  // namespace mien::media
