#include "report/reliability_svg.h"

#include <algorithm>

#include "report/svg_canvas.h"
#include "report/text.h"

namespace mien::report {
namespace {

constexpr double kReliabilityWidth = 470;
constexpr double kReliabilityHeight = 540;
constexpr PlotArea kRates{.left = 70, .top = 30, .width = 370, .height = 340};
constexpr double kHistogramTop = 430;
constexpr double kHistogramHeight = 70;

std::string percent_of(double rate) {
  return fixed(100.0 * rate, 1) + " %";
}

std::string tip_of(const ReliabilityBin& bin, const std::string& items) {
  return "confidence " + percent_of(bin.low) + " to " + percent_of(bin.high) + ": " +
         std::to_string(bin.clips) + " " + items + ", mean confidence " +
         percent_of(bin.confidence) + ", right " + percent_of(bin.accuracy);
}

void draw_rates(SvgCanvas& canvas, const Calibration& calibration, const std::string& items) {
  for (const ReliabilityBin& bin : calibration.bins) {
    if (bin.clips == 0) continue;
    const double x = kRates.x(bin.low);
    const double width = kRates.x(bin.high) - x - 1;
    const double right = kRates.y(bin.accuracy);
    const double sure = kRates.y(bin.confidence);
    canvas.rectangle(x, right, width, kRates.bottom() - right, "#0072b2", tip_of(bin, items));
    canvas.rectangle(x, std::min(right, sure), width, std::max(right, sure) - std::min(right, sure),
                     "#d55e00", tip_of(bin, items), " fill-opacity=\"0.35\" stroke=\"#d55e00\"");
  }
  canvas.line(kRates.left, kRates.bottom(), kRates.right(), kRates.top,
              "stroke=\"#222\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"");
}

void draw_histogram(SvgCanvas& canvas, const Calibration& calibration, const std::string& items) {
  std::int64_t most = 1;
  for (const ReliabilityBin& bin : calibration.bins) most = std::max(most, bin.clips);
  const double floor_y = kHistogramTop + kHistogramHeight;
  for (const ReliabilityBin& bin : calibration.bins) {
    if (bin.clips == 0) continue;
    const double height =
        kHistogramHeight * static_cast<double>(bin.clips) / static_cast<double>(most);
    const double x = kRates.x(bin.low);
    canvas.rectangle(x, floor_y - height, kRates.x(bin.high) - x - 1, height, "#767676",
                     tip_of(bin, items));
  }
  canvas.line(kRates.left, floor_y, kRates.right(), floor_y, "stroke=\"#444\" stroke-width=\"1\"");
  canvas.text(kRates.left - 6, kHistogramTop + 8, {.color = "#444", .anchor = "end"},
              std::to_string(most));
  canvas.text(kRates.left - 6, floor_y, {.color = "#444", .anchor = "end"}, "0");
  canvas.text(kRates.left + kRates.width / 2, floor_y + 20, {.anchor = "middle"},
              items + " by confidence");
}

std::string spoken_calibration(const Calibration& calibration, const std::string& items) {
  if (calibration.clips == 0) return "No " + items + ".";
  return "Expected calibration error " + percent_of(calibration.ece) + " over " +
         std::to_string(calibration.clips) + " " + items + "; mean confidence " +
         percent_of(calibration.confidence) + ", right " + percent_of(calibration.accuracy) + ".";
}

}  // namespace

std::string reliability_svg(const Calibration& calibration, const ReliabilitySvgOptions& options) {
  SvgCanvas canvas;
  canvas.axes(kRates,
              {.x = "confidence of the answer", .y = "share of right answers", .x_ticks = 5});
  draw_rates(canvas, calibration, options.items);
  draw_histogram(canvas, calibration, options.items);
  canvas.text(kRates.left, 18, {.size = 13},
              "ECE " + percent_of(calibration.ece) + ", " + std::to_string(calibration.clips) +
                  " " + options.items);
  return canvas.document({.width = kReliabilityWidth,
                          .height = kReliabilityHeight,
                          .title = options.title,
                          .description = spoken_calibration(calibration, options.items),
                          .id = options.id});
}

}  // namespace mien::report
