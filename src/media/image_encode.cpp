#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/files.h"
#include "media/image.h"

namespace mien::media {
namespace {

Result<std::vector<std::uint8_t>> encode(const ImageView& image, const char* extension,
                                         const std::vector<int>& parameters) {
  if (image.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty picture");
  try {
    const cv::Mat rgb(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb),
                      image.stride);
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    std::vector<std::uint8_t> bytes;
    if (!cv::imencode(extension, bgr, bytes, parameters)) {
      return make_error(ErrorCode::kInternal, "the picture could not be encoded");
    }
    return bytes;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what());
  }
}

Status write_whole(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  return core::write_file_atomically(path, std::as_bytes(std::span(bytes)));
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_png(const ImageView& image) {
  return encode(image, ".png", {});
}

Result<std::vector<std::uint8_t>> encode_jpeg(const ImageView& image, int quality) {
  return encode(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, std::min(std::max(quality, 1), 100)});
}

Status write_png(const std::string& path, const ImageView& image) {
  MIEN_ASSIGN(const std::vector<std::uint8_t> bytes, encode_png(image));
  return write_whole(path, bytes);
}

Status write_jpeg(const std::string& path, const ImageView& image, int quality) {
  MIEN_ASSIGN(const std::vector<std::uint8_t> bytes, encode_jpeg(image, quality));
  return write_whole(path, bytes);
}

}  // namespace mien::media
