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

std::string tip_of(const ReliabilityBin& bin) {
  return "confidence " + percent_of(bin.low) + " to " + percent_of(bin.high) + ": " +
         std::to_string(bin.clips) + " clips, mean confidence " + percent_of(bin.confidence) +
         ", right " + percent_of(bin.accuracy);
}

void draw_rates(SvgCanvas& canvas, const Calibration& calibration) {
  for (const ReliabilityBin& bin : calibration.bins) {
    if (bin.clips == 0) continue;
    const double x = kRates.x(bin.low);
    const double width = kRates.x(bin.high) - x - 1;
    const double right = kRates.y(bin.accuracy);
    const double sure = kRates.y(bin.confidence);
    canvas.rectangle(x, right, width, kRates.bottom() - right, "#0072b2", tip_of(bin));
    canvas.rectangle(x, std::min(right, sure), width, std::max(right, sure) - std::min(right, sure),
                     "#d55e00", tip_of(bin), " fill-opacity=\"0.35\" stroke=\"#d55e00\"");
  }
  canvas.line(kRates.left, kRates.bottom(), kRates.right(), kRates.top,
              "stroke=\"#222\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"");
}

void draw_histogram(SvgCanvas& canvas, const Calibration& calibration) {
  std::int64_t most = 1;
  for (const ReliabilityBin& bin : calibration.bins) most = std::max(most, bin.clips);
  const double floor_y = kHistogramTop + kHistogramHeight;
  for (const ReliabilityBin& bin : calibration.bins) {
    if (bin.clips == 0) continue;
    const double height =
        kHistogramHeight * static_cast<double>(bin.clips) / static_cast<double>(most);
    const double x = kRates.x(bin.low);
    canvas.rectangle(x, floor_y - height, kRates.x(bin.high) - x - 1, height, "#767676",
                     tip_of(bin));
  }
  canvas.line(kRates.left, floor_y, kRates.right(), floor_y, "stroke=\"#444\" stroke-width=\"1\"");
  canvas.text(kRates.left - 6, kHistogramTop + 8, {.color = "#444", .anchor = "end"},
              std::to_string(most));
  canvas.text(kRates.left - 6, floor_y, {.color = "#444", .anchor = "end"}, "0");
  canvas.text(kRates.left + kRates.width / 2, floor_y + 20, {.anchor = "middle"},
              "clips by confidence");
}

std::string spoken_calibration(const Calibration& calibration) {
  if (calibration.clips == 0) return "No clips.";
  return "Expected calibration error " + percent_of(calibration.ece) + " over " +
         std::to_string(calibration.clips) + " clips; mean confidence " +
         percent_of(calibration.confidence) + ", right " + percent_of(calibration.accuracy) + ".";
}

}  // namespace

std::string reliability_svg(const Calibration& calibration, const ReliabilitySvgOptions& options) {
  SvgCanvas canvas;
  canvas.axes(kRates,
              {.x = "confidence of the answer", .y = "share of right answers", .x_ticks = 5});
  draw_rates(canvas, calibration);
  draw_histogram(canvas, calibration);
  canvas.text(
      kRates.left, 18, {.size = 13},
      "ECE " + percent_of(calibration.ece) + ", " + std::to_string(calibration.clips) + " clips");
  return canvas.document({.width = kReliabilityWidth,
                          .height = kReliabilityHeight,
                          .title = options.title,
                          .description = spoken_calibration(calibration),
                          .id = options.id});
}

}  // namespace mien::report
