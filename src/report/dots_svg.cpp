#include "report/dots_svg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "report/svg_canvas.h"
#include "report/sweep_table.h"
#include "report/text.h"

namespace mien::report {
namespace {

constexpr double kRow = 26;         // height of a row
constexpr double kHeading = 26;     // of a group's title
constexpr double kDotsTop = 40;     // room for the drawing's title
constexpr double kDotsWidth = 440;  // of the axis
constexpr double kFigures = 110;    // room for the means, to the right
constexpr double kRadius = 4;
constexpr std::size_t kMaxRowName = 48;  // bytes
constexpr int kTicks = 6;
constexpr std::string_view kDotColor = "#0072b2";  // Okabe and Ito's blue
constexpr std::string_view kMeanStroke = "stroke=\"#d55e00\" stroke-width=\"4\"";
constexpr std::string_view kFaintStroke = "stroke=\"#000\" stroke-opacity=\"0.13\"";

std::vector<double> finite(const std::vector<double>& values) {
  std::vector<double> out;
  for (const double value : values) {
    if (std::isfinite(value)) out.push_back(value);
  }
  return out;
}

// Ends of the axis: the values with some room, never equal.
std::pair<double, double> range_of(std::span<const DotsGroup> groups) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const DotsGroup& group : groups) {
    for (const DotsRow& row : group.rows) {
      for (const double value : finite(row.values)) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
    }
  }
  if (low > high) return {0.0, 1.0};
  const double spread = high - low;
  const double least = 1e-6 * std::max({std::abs(low), std::abs(high), 1e-6});
  const double room = spread > least ? 0.06 * spread : std::max(0.1 * std::abs(low), 1e-3);
  return {low - room, high + room};
}

std::string mean_text(const Summary& summary, int decimals) {
  std::string out = fixed(summary.mean, decimals);
  if (std::isfinite(summary.deviation)) out += " \xC2\xB1 " + fixed(summary.deviation, decimals);
  return out;
}

// Draws one row around y and returns what a screen reader says of it.
std::string draw_row(SvgCanvas& canvas, const PlotArea& area, const DotsRow& row, double y,
                     int decimals) {
  canvas.text(area.left - 10, y + 4, {.size = 12, .anchor = "end"}, shorten(row.name, kMaxRowName));
  canvas.line(area.left, y, area.right(), y, kFaintStroke);
  const Summary summary = summarise(finite(row.values));
  if (summary.n == 0) {
    canvas.text(area.right() + 10, y + 4, {.color = "#555"}, "none");
    return " " + row.name + ": none.";
  }
  const double mean = area.x(summary.mean);
  canvas.line(mean, y - 9, mean, y + 9, kMeanStroke);
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    if (!std::isfinite(row.values[i])) continue;
    std::string tip = i < row.tips.size() ? row.tips[i] + ": " : std::string();
    tip += fixed(row.values[i], decimals + 1);
    canvas.dot(area.x(row.values[i]), y, kRadius, kDotColor, tip);
  }
  const std::string figures = mean_text(summary, decimals);
  canvas.text(area.right() + 10, y + 4, {}, figures);
  return " " + row.name + ": " + figures + ".";
}

}  // namespace

std::string dots_svg(std::span<const DotsGroup> groups, const DotsSvgOptions& options) {
  double widest = 60.0;
  double height = 0.0;
  for (const DotsGroup& group : groups) {
    height +=
        (group.title.empty() ? 0.0 : kHeading) + kRow * static_cast<double>(group.rows.size());
    for (const DotsRow& row : group.rows) {
      widest = std::max(widest, text_width(shorten(row.name, kMaxRowName), 12));
    }
  }
  const auto [low, high] = range_of(groups);
  const PlotArea area{.left = widest + 24,
                      .top = kDotsTop,
                      .width = kDotsWidth,
                      .height = height + 8,
                      .x_low = low,
                      .x_high = high};
  SvgCanvas canvas;
  canvas.text(12, 22, {.size = 14}, options.title);
  const std::vector<double> ticks = nice_ticks(low, high, kTicks);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : high - low;
  for (const double tick : ticks) {
    canvas.line(area.x(tick), area.top, area.x(tick), area.bottom(), kFaintStroke);
    canvas.text(area.x(tick), area.bottom() + 16, {.color = "#444", .anchor = "middle"},
                tick_text(tick, step));
  }
  canvas.text(area.left + area.width / 2, area.bottom() + 36, {.anchor = "middle"},
              options.x_title);
  std::string spoken = options.x_title + ", mean and deviation.";
  double y = area.top;
  for (const DotsGroup& group : groups) {
    if (!group.title.empty()) {
      canvas.text(area.left, y + 18, {.size = 12, .color = "#555"}, group.title);
      spoken += " " + group.title + ":";
      y += kHeading;
    }
    for (const DotsRow& row : group.rows) {
      spoken += draw_row(canvas, area, row, y + kRow / 2, options.decimals);
      y += kRow;
    }
  }
  return canvas.document({.width = area.right() + kFigures,
                          .height = area.bottom() + 48,
                          .title = options.title,
                          .description = spoken,
                          .id = options.id});
}

}  // namespace mien::report
