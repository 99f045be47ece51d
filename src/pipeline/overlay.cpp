#include "pipeline/overlay.h"

#include <algorithm>
#include <cmath>

#include "report/palette.h"

namespace mien::pipeline {
namespace {

constexpr media::Color kBlack = {0, 0, 0};
constexpr media::Color kWhite = {255, 255, 255};
constexpr media::Color kHeat = {217, 72, 15};  // as the timeline's strip
constexpr float kMostHeat = 0.6F;              // the face must stay visible

int rounded(double value) {
  return static_cast<int>(std::lround(std::clamp(value, -1e6, 1e6)));
}

void draw_heat(media::Image& image, const OverlayHeat& heat, double scale) {
  media::Affine to_image = heat.to_frame;
  for (double& m : to_image.m) m *= scale;
  media::draw_heat(image, to_image, heat.values, heat.grid, kHeat, kMostHeat);
}

void draw_box(media::Image& image, const OverlayBox& box, double scale, int text_height) {
  const int x = rounded(box.x * scale);
  const int y = rounded(box.y * scale);
  const int w = rounded(box.w * scale);
  const int h = rounded(box.h * scale);
  const int line = std::max(2, image.height / 240);
  media::draw_rectangle(image, x, y, w, h, box.color, line);
  if (box.caption.empty()) return;
  const media::TextSize size = media::measure_text(box.caption, text_height);
  const int pad = std::max(3, text_height / 3);
  const int bar = size.height + 2 * pad;
  // Above the box; inside its top when there is no room above, and never past the right edge.
  const int top = y - bar >= 0 ? y - bar : std::max(y, 0);
  const int left = std::clamp(x, 0, std::max(0, image.width - size.width - 2 * pad));
  media::fill_rectangle(image, left, top, size.width + 2 * pad, bar, box.color);
  media::draw_text(image, left + pad, top + pad + size.height, box.caption, text_height,
                   report::is_light(box.color) ? kBlack : kWhite);
}

void draw_lane(media::Image& image, const OverlayLane& lane,
               const std::vector<media::Color>& colors, int x, int y, int width, int height) {
  for (const OverlayCell& cell : lane.cells) {
    const int from = x + rounded(cell.from * width);
    const int to = x + rounded(cell.to * width);
    double sum = 0;
    int low = 0;  // pixels filled so far, from the bottom
    for (std::size_t c = 0; c < colors.size() && c < cell.probabilities.size(); ++c) {
      sum += static_cast<double>(cell.probabilities[c]);
      const int high = std::min(height, rounded(sum * height));
      if (high > low) {
        media::fill_rectangle(image, from, y + height - high, std::max(1, to - from), high - low,
                              colors[c]);
      }
      low = std::max(low, high);
    }
  }
}

}  // namespace

void draw_overlay(media::Image& image, const Overlay& overlay, double scale) {
  const int text_height = std::clamp(image.height / 36, 8, 26);
  for (const OverlayHeat& heat : overlay.heats) draw_heat(image, heat, scale);
  for (const OverlayBox& box : overlay.boxes) draw_box(image, box, scale, text_height);
  if (overlay.lanes.empty()) return;

  const auto lanes = static_cast<int>(overlay.lanes.size());
  const int pad = std::max(2, image.height / 120);
  const int lane = std::max(6, image.height / (lanes == 1 ? 14 : 10 + 6 * lanes));
  const int strip = lanes * (lane + pad) + pad;
  const int top = image.height - strip;
  const int label = media::measure_text("00", text_height).width + 2 * pad;
  media::fill_rectangle(image, 0, top, image.width, strip, kBlack, 0.55F);
  for (int i = 0; i < lanes; ++i) {
    const OverlayLane& one = overlay.lanes[static_cast<std::size_t>(i)];
    const int y = top + pad + i * (lane + pad);
    const int letters = std::min(text_height, lane);
    media::draw_text(image, pad, y + (lane + letters) / 2, std::to_string(one.id), letters, kWhite);
    draw_lane(image, one, overlay.class_colors, label, y, image.width - label - pad, lane);
  }
  const int now = image.width - pad - 1;
  media::draw_line(image, now, top, now, image.height - 1, kWhite, std::max(1, image.width / 640));
}

}  // namespace mien::pipeline
