#include "report/curves_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "report/svg_canvas.h"
#include "report/text.h"

namespace mien::report {
namespace {

constexpr double kCurvesWidth = 640;
constexpr double kCurvesHeight = 300;
constexpr double kMarkedPoints = 30;  // as long as they are fewer, each point gets a dot
// Okabe and Ito's palette, the dark ones; dashes tell them apart in a print without colours.
constexpr std::array<std::string_view, 5> kCurveColors = {"#0072b2", "#d55e00", "#009e73",
                                                          "#7a4870", "#444444"};
constexpr std::array<std::string_view, 5> kCurveDashes = {"", "7 3", "2 3", "9 3 2 3", "4 4"};

bool is_drawn(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

struct Bounds {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // A range that is not empty, widened by `margin` of it.
  void widen(double margin) {
    const double room = margin * (high - low);
    low -= room;
    high += room;
    if (high - low > 1e-12 * std::max(std::abs(low), std::abs(high))) return;
    const double around = low == 0.0 ? 1.0 : 0.1 * std::abs(low);
    low -= around;
    high += around;
  }
};

std::string stroke_of(std::size_t index) {
  std::string out = "stroke=\"" + std::string(kCurveColors[index % kCurveColors.size()]) +
                    "\" stroke-width=\"2\" stroke-linejoin=\"round\"";
  const std::string_view dashes = kCurveDashes[index % kCurveDashes.size()];
  if (!dashes.empty()) out += " stroke-dasharray=\"" + std::string(dashes) + "\"";
  return out;
}

// The pieces between gaps.
void draw_curve(SvgCanvas& canvas, const PlotArea& area, const Curve& curve, std::size_t index) {
  std::vector<std::pair<double, double>> piece;
  for (const auto& point : curve.points) {
    if (is_drawn(point)) {
      piece.emplace_back(area.x(point.first), area.y(point.second));
      continue;
    }
    canvas.polyline(piece, stroke_of(index));
    piece.clear();
  }
  canvas.polyline(piece, stroke_of(index));
  // A single point is no line: it is always marked.
  const auto count = static_cast<double>(curve.points.size());
  if (count > kMarkedPoints) return;
  for (const auto& point : curve.points) {
    if (!is_drawn(point)) continue;
    canvas.dot(area.x(point.first), area.y(point.second), 2.5,
               kCurveColors[index % kCurveColors.size()],
               curve.name + " " + compact(point.second, 6) + " at " + compact(point.first, 3));
  }
}

void draw_names(SvgCanvas& canvas, const PlotArea& area, std::span<const Curve> curves) {
  double x = area.left;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    canvas.line(x, 16, x + 26, 16, stroke_of(i));
    const std::string name = shorten(curves[i].name, 28);
    canvas.text(x + 32, 20, {.size = 13}, name);
    x += 32 + text_width(name, 13) + 20;
  }
}

// First and last value of each curve: what a reader takes from the picture.
std::string spoken_curves(std::span<const Curve> curves) {
  std::string out;
  for (const Curve& curve : curves) {
    const auto first = std::find_if(curve.points.begin(), curve.points.end(), is_drawn);
    if (first == curve.points.end()) continue;
    const auto last = std::find_if(curve.points.rbegin(), curve.points.rend(), is_drawn);
    out += (out.empty() ? "" : " ") + curve.name + ": from " + compact(first->second, 6) + " to " +
           compact(last->second, 6) + ".";
  }
  return out;
}

}  // namespace

std::string curves_svg(std::span<const Curve> curves, const CurvesSvgOptions& options) {
  Bounds xs;
  Bounds ys;
  for (const Curve& curve : curves) {
    for (const auto& point : curve.points) {
      if (!is_drawn(point)) continue;
      xs.take(point.first);
      ys.take(point.second);
    }
  }
  SvgCanvas canvas;
  PlotArea area{.left = 70, .top = 34, .width = kCurvesWidth - 90, .height = kCurvesHeight - 84};
  if (xs.low > xs.high) {
    canvas.text(kCurvesWidth / 2, kCurvesHeight / 2,
                {.size = 15, .color = "#555", .anchor = "middle"}, "no values");
  } else {
    if (options.from_zero) ys.take(0.0);
    const bool zero_is_floor = options.from_zero && ys.low >= 0.0;
    xs.widen(0.0);
    ys.widen(0.05);
    if (zero_is_floor) ys.low = 0.0;
    area.x_low = xs.low;
    area.x_high = xs.high;
    area.y_low = ys.low;
    area.y_high = ys.high;
    canvas.axes(area, {.x = options.x_title, .y = options.y_title});
    for (std::size_t i = 0; i < curves.size(); ++i) draw_curve(canvas, area, curves[i], i);
    draw_names(canvas, area, curves);
  }
  return canvas.document({.width = kCurvesWidth,
                          .height = kCurvesHeight,
                          .title = options.title,
                          .description = spoken_curves(curves),
                          .id = options.id});
}

}  // namespace mien::report
