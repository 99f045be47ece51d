// Pillow's resampling, src/libImaging/Resample.c, for 8-bit RGB and the triangle filter.
#include <cmath>
#include <cstdint>
#include <vector>

#include "media/image.h"

namespace mien::media {
namespace {

// 8 bits of pixel and 2 of head-room for the sum leave 22 for the coefficient's fraction.
constexpr int kPrecisionBits = 32 - 8 - 2;

// For every output position: where its inputs begin, how many they are, and their weights.
struct Taps {
  int width = 0;  // weights stored per output
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;
};

double triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// precompute_coeffs and normalize_coeffs_8bpc.
Taps make_taps(int in_size, int out_size) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = scale < 1.0 ? 1.0 : scale;
  const double support = 1.0 * filter_scale;
  Taps taps;
  taps.width = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.first.resize(out_size);
  taps.count.resize(out_size);
  taps.weights.assign(static_cast<std::size_t>(out_size) * taps.width, 0);
  std::vector<double> k(taps.width);
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const double inverse = 1.0 / filter_scale;
    const int begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in_size) - begin;
    double total = 0;
    for (int i = 0; i < count; ++i) {
      k[i] = triangle((i + begin - center + 0.5) * inverse);
      total += k[i];
    }
    for (int i = 0; i < count; ++i) {
      const double weight = total != 0.0 ? k[i] / total : k[i];
      taps.weights[static_cast<std::size_t>(out) * taps.width + i] =
          static_cast<std::int32_t>(0.5 + weight * (1 << kPrecisionBits));
    }
    taps.first[out] = begin;
    taps.count[out] = count;
  }
  return taps;
}

std::uint8_t clip8(std::int32_t sum) {
  const std::int32_t value = sum >> kPrecisionBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : (value > 255 ? 255 : value));
}

void resize_rows(const ImageView& in, Image& out) {
  const Taps taps = make_taps(in.width, out.width);
  for (int y = 0; y < out.height; ++y) {
    const std::uint8_t* source = in.row(y);
    std::uint8_t* target = out.row(y);
    for (int x = 0; x < out.width; ++x, target += 3) {
      const std::int32_t* w = &taps.weights[static_cast<std::size_t>(x) * taps.width];
      const std::uint8_t* p = source + static_cast<std::size_t>(taps.first[x]) * 3;
      std::int32_t r = 1 << (kPrecisionBits - 1);
      std::int32_t g = r;
      std::int32_t b = r;
      for (int i = 0; i < taps.count[x]; ++i, p += 3) {
        r += p[0] * w[i];
        g += p[1] * w[i];
        b += p[2] * w[i];
      }
      target[0] = clip8(r);
      target[1] = clip8(g);
      target[2] = clip8(b);
    }
  }
}

void resize_columns(const ImageView& in, Image& out) {
  const Taps taps = make_taps(in.height, out.height);
  const std::size_t row_values = static_cast<std::size_t>(out.width) * 3;
  std::vector<std::int32_t> sums(row_values);
  for (int y = 0; y < out.height; ++y) {
    sums.assign(row_values, 1 << (kPrecisionBits - 1));
    for (int i = 0; i < taps.count[y]; ++i) {
      const std::int32_t w = taps.weights[static_cast<std::size_t>(y) * taps.width + i];
      const std::uint8_t* p = in.row(taps.first[y] + i);
      for (std::size_t v = 0; v < row_values; ++v) sums[v] += p[v] * w;
    }
    std::uint8_t* target = out.row(y);
    for (std::size_t v = 0; v < row_values; ++v) target[v] = clip8(sums[v]);
  }
}

}  // namespace

Result<Image> resize_bilinear(const ImageView& image, int width, int height) {
  if (image.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty picture");
  if (width < 1 || height < 1) {
    return make_error(ErrorCode::kInvalidArgument, "a picture cannot be resized to nothing");
  }
  MIEN_TRY(check_image_size(width, height));
  // A pass that would change nothing is left out, as Pillow does.
  if (width == image.width && height == image.height) return copy_image(image);
  if (height == image.height) {
    Image out = Image::black(width, height);
    resize_rows(image, out);
    return out;
  }
  Image narrow;
  ImageView between = image;
  if (width != image.width) {
    narrow = Image::black(width, image.height);
    resize_rows(image, narrow);
    between = narrow.view();
  }
  Image out = Image::black(width, height);
  resize_columns(between, out);
  return out;
}

}  // namespace mien::media
