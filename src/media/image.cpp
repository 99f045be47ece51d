#include "media/image.h"

#include <algorithm>
#include <cstring>

namespace mien::media {

Image Image::black(int width, int height) {
  Image out;
  out.width = std::max(width, 0);
  out.height = std::max(height, 0);
  out.rgb.assign(static_cast<std::size_t>(out.width) * out.height * 3, 0);
  return out;
}

ImageView sub_view(const ImageView& image, int x, int y, int width, int height) {
  const int left = std::clamp(x, 0, image.width);
  const int top = std::clamp(y, 0, image.height);
  const int right = std::clamp(x + std::max(width, 0), left, image.width);
  const int bottom = std::clamp(y + std::max(height, 0), top, image.height);
  ImageView out = image;
  out.width = right - left;
  out.height = bottom - top;
  if (!out.empty()) out.rgb = image.row(top) + static_cast<std::size_t>(left) * 3;
  return out;
}

Image copy_image(const ImageView& image) {
  Image out = Image::black(image.width, image.height);
  const std::size_t row_bytes = static_cast<std::size_t>(out.width) * 3;
  if (image.rgb == nullptr || row_bytes == 0) return out;
  for (int y = 0; y < out.height; ++y) std::memcpy(out.row(y), image.row(y), row_bytes);
  return out;
}

Status check_image_size(std::int64_t width, std::int64_t height) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width <= 0 || height <= 0) {
    return make_error(ErrorCode::kBadFormat, "the picture size is " + size);
  }
  if (width > kMaxImageSide || height > kMaxImageSide || width * height > kMaxImagePixels) {
    return make_error(ErrorCode::kLimit, "the picture size " + size + " is beyond the limit (" +
                                             std::to_string(kMaxImageSide) + " a side, " +
                                             std::to_string(kMaxImagePixels / 1000000) +
                                             " million pixels)");
  }
  return {};
}

}  // namespace mien::media
