#include "report/palette.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/labels.h"

namespace mien::report {
namespace {

struct Entry {
  std::string_view name;
  Rgb color;
};

// The last three are darker or lighter relatives for the classes that only MAFW has.
constexpr std::array<Entry, 11> kEntries = {{
    {"neutral", {205, 205, 205}},
    {"happiness", {230, 159, 0}},
    {"surprise", {86, 180, 233}},
    {"sadness", {0, 114, 178}},
    {"anger", {213, 94, 0}},
    {"disgust", {0, 158, 115}},
    {"fear", {204, 121, 167}},
    {"contempt", {240, 228, 66}},
    {"anxiety", {122, 72, 112}},
    {"helplessness", {96, 96, 96}},
    {"disappointment", {153, 187, 173}},
}};

constexpr Rgb kBlack = {0, 0, 0};
constexpr Rgb kWhite = {255, 255, 255};

// WCAG 2.1, "relative luminance": sRGB made linear, weighted by Rec. 709.
double relative_luminance(Rgb color) {
  const auto linear = [](std::uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
}

}  // namespace

std::vector<Rgb> class_colors(const std::vector<std::string>& classes) {
  std::vector<Rgb> colors(classes.size());
  std::vector<bool> known(classes.size(), false);
  std::array<bool, kEntries.size()> used{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string name = core::label_or_itself(classes[i]);
    for (std::size_t e = 0; e < kEntries.size(); ++e) {
      if (kEntries[e].name != name) continue;
      colors[i] = kEntries[e].color;
      known[i] = used[e] = true;
    }
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (known[i]) continue;
    while (next < used.size() && used[next]) ++next;
    colors[i] = kEntries[(next < used.size() ? next++ : i) % kEntries.size()].color;
  }
  return colors;
}

std::string hex_color(Rgb color) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", color[0], color[1], color[2]);
  return text.data();
}

bool is_light(Rgb color) {
  // Rec. 709 weights on squared values, near enough to the sRGB curve for a yes or no.
  const auto linear = [](std::uint8_t v) { return (v / 255.0) * (v / 255.0); };
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]) > 0.30;
}

double contrast_ratio(Rgb a, Rgb b) {
  const double first = relative_luminance(a);
  const double second = relative_luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

Rgb readable_on(Rgb background) {
  return contrast_ratio(background, kBlack) >= contrast_ratio(background, kWhite) ? kBlack : kWhite;
}

Rgb shade_of(double share) {
  constexpr std::array<Rgb, 3> kStops = {{{246, 249, 253}, {92, 150, 204}, {10, 44, 96}}};
  const double place = share > 0.0 ? 2.0 * std::min(share, 1.0) : 0.0;  // NaN is not > 0
  const std::size_t stop = place < 1.0 ? 0 : 1;
  const double part = place - static_cast<double>(stop);
  Rgb color{};
  for (std::size_t i = 0; i < color.size(); ++i) {
    const double from = kStops[stop][i];
    const double to = kStops[stop + 1][i];
    color[i] = static_cast<std::uint8_t>(std::lround(from + part * (to - from)));
  }
  return color;
}

}  // namespace mien::report
