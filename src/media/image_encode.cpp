#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "core/files.h"
#include "media/image.h"

namespace mien::media {
namespace {

struct TurboJpegCloser {
  void operator()(void* handle) const { tjDestroy(handle); }
};

// What both libraries count in int, and no picture of ours comes near.
Status check(const ImageView& image) {
  if (image.empty()) return make_error(ErrorCode::kInvalidArgument, "an empty picture");
  MIEN_TRY(check_image_size(image.width, image.height));
  if (image.stride > static_cast<std::size_t>(kMaxImageSide) * 16) {
    return make_error(ErrorCode::kInvalidArgument, "the picture's rows lie too far apart");
  }
  return {};
}

Status write_whole(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  return core::write_file_atomically(path, std::as_bytes(std::span(bytes)));
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_png(const ImageView& image) {
  MIEN_TRY(check(image));
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png.flags = PNG_IMAGE_FLAG_FAST;  // speed before size
  std::vector<std::uint8_t> bytes(PNG_IMAGE_PNG_SIZE_MAX(png));
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.rgb,
                                static_cast<png_int_32>(image.stride), nullptr) == 0) {
    return make_error(ErrorCode::kInternal,
                      std::string("the picture could not be encoded: ") + png.message);
  }
  bytes.resize(size);
  return bytes;
}

Result<std::vector<std::uint8_t>> encode_jpeg(const ImageView& image, int quality) {
  MIEN_TRY(check(image));
  const std::unique_ptr<void, TurboJpegCloser> handle(tjInitCompress());
  if (!handle) return make_error(ErrorCode::kInternal, "the JPEG library does not start");
  std::vector<std::uint8_t> bytes(tjBufSize(image.width, image.height, TJSAMP_420));
  unsigned char* target = bytes.data();
  unsigned long size = bytes.size();
  if (tjCompress2(handle.get(), image.rgb, image.width, static_cast<int>(image.stride),
                  image.height, TJPF_RGB, &target, &size, TJSAMP_420, std::clamp(quality, 1, 100),
                  TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0) {
    return make_error(ErrorCode::kInternal, std::string("the picture could not be encoded: ") +
                                                tjGetErrorStr2(handle.get()));
  }
  bytes.resize(size);
  return bytes;
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
