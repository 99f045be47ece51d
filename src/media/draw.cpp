#include "media/draw.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace mien::media {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kFontCapPx = 21.0;  // height of a capital of Hershey Simplex at scale 1

cv::Mat mat(Image& image) {
  return {image.height, image.width, CV_8UC3, image.rgb.data()};
}
cv::Scalar scalar(Color c) {
  return {static_cast<double>(c[0]), static_cast<double>(c[1]), static_cast<double>(c[2])};
}

// OpenCV draws with 16 bits of sub-pixel precision in an int: far coordinates would overflow.
int near(int v) {
  return std::clamp(v, -30000, 30000);
}

int line_width(int text_height) {
  return std::max(1, text_height / 9);
}

std::string ascii(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;  // the rest of a UTF-8 character
    out += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return out;
}

}  // namespace

void draw_rectangle(Image& image, int x, int y, int width, int height, Color color, int thickness) {
  if (image.empty() || width <= 0 || height <= 0) return;
  cv::Mat target = mat(image);
  cv::rectangle(target, {near(x), near(y)}, {near(x + width - 1), near(y + height - 1)},
                scalar(color), std::max(thickness, 1));
}

void fill_rectangle(Image& image, int x, int y, int width, int height, Color color, float opacity) {
  if (image.empty() || width <= 0 || height <= 0 || !(opacity > 0)) return;
  const cv::Rect area = cv::Rect(near(x), near(y), near(width), near(height)) &
                        cv::Rect(0, 0, image.width, image.height);
  if (area.empty()) return;
  cv::Mat part = mat(image)(area);
  const double share = std::min(static_cast<double>(opacity), 1.0);
  if (share >= 1.0) {
    part.setTo(scalar(color));
    return;
  }
  const cv::Mat flat(part.size(), CV_8UC3, scalar(color));
  cv::addWeighted(flat, share, part, 1.0 - share, 0.0, part);
}

void draw_line(Image& image, int x0, int y0, int x1, int y1, Color color, int thickness) {
  if (image.empty()) return;
  cv::Mat target = mat(image);
  cv::line(target, {near(x0), near(y0)}, {near(x1), near(y1)}, scalar(color),
           std::max(thickness, 1), cv::LINE_AA);
}

void draw_disc(Image& image, int x, int y, int radius, Color color) {
  if (image.empty() || radius < 0) return;
  cv::Mat target = mat(image);
  cv::circle(target, {near(x), near(y)}, near(radius), scalar(color), cv::FILLED, cv::LINE_AA);
}

void draw_text(Image& image, int x, int y, const std::string& text, int height, Color color) {
  if (image.empty() || height < 1) return;
  cv::Mat target = mat(image);
  cv::putText(target, ascii(text), {near(x), near(y)}, kFont, height / kFontCapPx, scalar(color),
              line_width(height), cv::LINE_AA);
}

TextSize measure_text(const std::string& text, int height) {
  TextSize out;
  if (height < 1) return out;
  const cv::Size size =
      cv::getTextSize(ascii(text), kFont, height / kFontCapPx, line_width(height), &out.baseline);
  out.width = size.width;
  out.height = size.height;
  return out;
}

}  // namespace mien::media
