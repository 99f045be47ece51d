// One colour per expression, the same in every drawing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mien::report {

using Rgb = std::array<std::uint8_t, 3>;

// Colours of `classes`, by name where it is a known expression (so that a model with another order
// or other classes looks alike), else from the same set in turn. They come from Okabe and Ito's
// palette for all kinds of colour vision (https://jfly.uni-koeln.de/color/), neutral being grey.
std::vector<Rgb> class_colors(const std::vector<std::string>& classes);

// "#e69f00".
std::string hex_color(Rgb color);

// Whether black text reads better on it than white (by relative luminance).
bool is_light(Rgb color);

// Contrast of two colours, 1..21 (WCAG 2.1, "contrast ratio"; text wants at least 4.5).
double contrast_ratio(Rgb a, Rgb b);

// Black or white, whichever has more contrast to `background`: at least 4.58.
Rgb readable_on(Rgb background);

// A shade for `share` of 0..1 (clamped; NaN is 0): from near white to dark blue, darker throughout,
// so that it reads without colour too.
Rgb shade_of(double share);

}  // namespace mien::report
