#include "media/draw.h"

#include <algorithm>
#include <cmath>
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

// The pixels of the image whose centres may lie in the square 0..grid.
cv::Rect covered(const Image& image, const Affine& to_image, int grid) {
  double left = 1e9;
  double top = 1e9;
  double right = -1e9;
  double bottom = -1e9;
  for (const int corner : {0, 1, 2, 3}) {
    const auto [x, y] = to_image.apply((corner & 1) * grid, (corner >> 1) * grid);
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
  }
  const auto cut = [](double v, int limit) {
    return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(limit)));
  };
  const int x0 = cut(std::floor(left), image.width);
  const int y0 = cut(std::floor(top), image.height);
  return {x0, y0, cut(std::ceil(right), image.width) - x0,
          cut(std::ceil(bottom), image.height) - y0};
}

// Between the centres of the cells; beyond the outer ones it stays as it is there.
double value_at(std::span<const float> values, int grid, double x, double y) {
  const double u = std::clamp(x - 0.5, 0.0, grid - 1.0);
  const double v = std::clamp(y - 0.5, 0.0, grid - 1.0);
  const int column = std::min(static_cast<int>(u), std::max(grid - 2, 0));
  const int row = std::min(static_cast<int>(v), std::max(grid - 2, 0));
  const int right = std::min(column + 1, grid - 1);
  const int below = std::min(row + 1, grid - 1);
  const auto at = [&](int r, int c) {
    const auto value = static_cast<double>(values[static_cast<std::size_t>(r * grid + c)]);
    return value > 0.0 ? std::min(value, 1.0) : 0.0;  // NaN is not
  };
  const double upper = at(row, column) + (u - column) * (at(row, right) - at(row, column));
  const double lower = at(below, column) + (u - column) * (at(below, right) - at(below, column));
  return upper + (v - row) * (lower - upper);
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

void draw_heat(Image& image, const Affine& to_image, std::span<const float> values, int grid,
               Color color, float opacity) {
  if (image.empty() || grid < 1 || !(opacity > 0)) return;
  if (values.size() != static_cast<std::size_t>(grid) * static_cast<std::size_t>(grid)) return;
  const bool finite =
      std::all_of(to_image.m.begin(), to_image.m.end(), [](double v) { return std::abs(v) < 1e7; });
  if (!finite || !(to_image.scale() > 1e-6)) return;
  const Affine to_grid = to_image.inverse();
  const double most = std::min(static_cast<double>(opacity), 1.0);
  const cv::Rect area = covered(image, to_image, grid);
  for (int y = area.y; y < area.y + area.height; ++y) {
    std::uint8_t* row = image.row(y);
    for (int x = area.x; x < area.x + area.width; ++x) {
      const auto [u, v] = to_grid.apply(x + 0.5, y + 0.5);
      if (!(u >= 0 && u < grid && v >= 0 && v < grid)) continue;
      const double share = most * value_at(values, grid, u, v);
      for (std::size_t c = 0; c < color.size(); ++c) {
        std::uint8_t& to = row[3 * static_cast<std::size_t>(x) + c];
        to = static_cast<std::uint8_t>(std::lround(to + share * (color[c] - to)));
      }
    }
  }
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
