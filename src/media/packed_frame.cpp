#include "media/packed_frame.h"

#include <opencv2/imgproc.hpp>
#include <string>

namespace mien::media {
namespace {

Error wrong(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, what);
}

Status check(const PixelBuffer& pixels) {
  if (pixels.data == nullptr) return wrong("the frame has no data");
  const std::string size = std::to_string(pixels.width) + "x" + std::to_string(pixels.height);
  if (pixels.width < 1 || pixels.height < 1) return wrong("the frame's size is " + size);
  MIEN_TRY(check_image_size(pixels.width, pixels.height));
  const bool paired = pixels.layout == PixelLayout::kYuyv || pixels.layout == PixelLayout::kNv12;
  const bool odd_height = pixels.layout == PixelLayout::kNv12 && pixels.height % 2 != 0;
  if (paired && (pixels.width % 2 != 0 || odd_height)) {
    return wrong("the pixels of this format come in pairs, but the frame's size is " + size);
  }
  if (pixels.stride < row_bytes(pixels.layout, pixels.width)) {
    return wrong("a stride of " + std::to_string(pixels.stride) + " bytes is less than a row of " +
                 std::to_string(pixels.width) + " pixels");
  }
  return {};
}

// What OpenCV calls the way from there to RGB, and the matrix it wants.
struct Conversion {
  int code;
  int type;
  int rows;
};

Conversion conversion_of(const PixelBuffer& pixels) {
  switch (pixels.layout) {
    case PixelLayout::kBgr: return {cv::COLOR_BGR2RGB, CV_8UC3, pixels.height};
    case PixelLayout::kRgba: return {cv::COLOR_RGBA2RGB, CV_8UC4, pixels.height};
    case PixelLayout::kBgra: return {cv::COLOR_BGRA2RGB, CV_8UC4, pixels.height};
    case PixelLayout::kYuyv: return {cv::COLOR_YUV2RGB_YUYV, CV_8UC2, pixels.height};
    case PixelLayout::kNv12: return {cv::COLOR_YUV2RGB_NV12, CV_8UC1, pixels.height / 2 * 3};
    case PixelLayout::kRgb:
    case PixelLayout::kGray: break;
  }
  return {cv::COLOR_GRAY2RGB, CV_8UC1, pixels.height};
}

}  // namespace

std::ptrdiff_t row_bytes(PixelLayout layout, int width) {
  std::ptrdiff_t per_pixel = 1;
  switch (layout) {
    case PixelLayout::kRgb:
    case PixelLayout::kBgr: per_pixel = 3; break;
    case PixelLayout::kRgba:
    case PixelLayout::kBgra: per_pixel = 4; break;
    case PixelLayout::kYuyv: per_pixel = 2; break;
    case PixelLayout::kGray:
    case PixelLayout::kNv12: break;
  }
  return per_pixel * width;
}

Result<Image> to_rgb(const PixelBuffer& pixels) {
  MIEN_TRY(check(pixels));
  const auto stride = static_cast<std::size_t>(pixels.stride);
  if (pixels.layout == PixelLayout::kRgb) {
    return copy_image({pixels.width, pixels.height, stride, pixels.data});
  }
  const Conversion way = conversion_of(pixels);
  Image out = Image::black(pixels.width, pixels.height);
  try {
    const cv::Mat from(way.rows, pixels.width, way.type, const_cast<std::uint8_t*>(pixels.data),
                       stride);
    cv::Mat to(pixels.height, pixels.width, CV_8UC3, out.rgb.data());
    cv::cvtColor(from, to, way.code);
    if (to.data != out.rgb.data()) {
      return make_error(ErrorCode::kInternal, "a frame changed its size in conversion");
    }
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what(), "conversion to RGB");
  }
  return out;
}

}  // namespace mien::media
