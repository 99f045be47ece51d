// Picture files into memory. JPEG and PNG go straight to their libraries, which report damage
// instead of printing about it; the rarer formats go through OpenCV.
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/files.h"
#include "media/image.h"
#include "media/image_probe.h"

namespace mien::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Nothing within kMaxImagePixels needs more than 4 bytes a pixel; and the libraries count in int.
constexpr std::uint64_t kMaxPictureBytes = std::uint64_t{1} << 30;

struct TurboJpegCloser {
  void operator()(void* handle) const { tjDestroy(handle); }
};

Result<Image> decode_with_opencv(Bytes bytes) {
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8UC1,
                      const_cast<std::uint8_t*>(bytes.data()));
    const cv::Mat bgr = cv::imdecode(raw, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
    if (bgr.empty()) return make_error(ErrorCode::kBadFormat, "a damaged picture");
    Image out = Image::black(bgr.cols, bgr.rows);
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, out.rgb.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return out;
  } catch (const std::exception&) {
    return make_error(ErrorCode::kBadFormat, "a damaged picture");
  }
}

Result<Image> decode_jpeg(Bytes bytes) {
  const std::unique_ptr<void, TurboJpegCloser> handle(tjInitDecompress());
  if (!handle) return make_error(ErrorCode::kInternal, "the JPEG library does not start");
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colors = 0;
  if (tjDecompressHeader3(handle.get(), bytes.data(), size, &width, &height, &subsampling,
                          &colors) != 0) {
    return make_error(ErrorCode::kBadFormat,
                      std::string("a damaged JPEG: ") + tjGetErrorStr2(handle.get()));
  }
  MIEN_TRY(check_image_size(width, height));
  Image out;
  if (colors == TJCS_CMYK || colors == TJCS_YCCK) {
    MIEN_ASSIGN(out, decode_with_opencv(bytes));  // print-shop colours are rare; OpenCV knows them
  } else {
    out = Image::black(width, height);
    // A warning (missing data, junk between markers) counts as damage: half a face is no face. The
    // limit on scans stops progressive files that decode for minutes.
    const int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
    if (tjDecompress2(handle.get(), bytes.data(), size, out.rgb.data(), width, width * 3, height,
                      TJPF_RGB, flags) != 0) {
      return make_error(ErrorCode::kBadFormat,
                        std::string("a damaged JPEG: ") + tjGetErrorStr2(handle.get()));
    }
  }
  const Orientation turn = exif_turn(jpeg_orientation(bytes));
  return turn.identity() ? std::move(out) : turn_image(out, turn);
}

Result<Image> decode_png(Bytes bytes) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_imagep)> guard(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    return make_error(ErrorCode::kBadFormat, std::string("a damaged PNG: ") + png.message);
  }
  MIEN_TRY(check_image_size(png.width, png.height));
  png.format = PNG_FORMAT_RGB;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // cameras and cv2 write gamma-coded 16-bit files
  Image out = Image::black(static_cast<int>(png.width), static_cast<int>(png.height));
  const png_color background{0, 0, 0};
  if (png_image_finish_read(&png, &background, out.rgb.data(), 0, nullptr) == 0) {
    return make_error(ErrorCode::kBadFormat, std::string("a damaged PNG: ") + png.message);
  }
  return out;
}

Result<Image> decode_any(Bytes bytes) {
  if (bytes.empty()) return make_error(ErrorCode::kBadFormat, "the file is empty");
  if (bytes.size() > kMaxPictureBytes) {
    return make_error(ErrorCode::kLimit, "more than 1 GiB for a picture");
  }
  const PictureFormat format = picture_format(bytes);
  switch (format) {
    case PictureFormat::kJpeg: return decode_jpeg(bytes);
    case PictureFormat::kPng: return decode_png(bytes);
    case PictureFormat::kUnknown:
      return make_error(ErrorCode::kBadFormat, "not a JPEG, PNG, BMP, WebP or PPM picture");
    default: break;
  }
  MIEN_ASSIGN(const PictureSize size, probe_size(format, bytes));
  MIEN_TRY(check_image_size(size.width, size.height));
  return decode_with_opencv(bytes);
}

}  // namespace

Result<Image> decode_image(Bytes bytes, const std::string& name) {
  Result<Image> out = decode_any(bytes);
  if (!out.ok() && !name.empty()) return out.error().within(name);
  return out;
}

Result<Image> read_image(const std::string& path) {
  MIEN_ASSIGN(const std::vector<std::byte> bytes, core::read_file(path, kMaxPictureBytes));
  return decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path);
}

bool has_image_extension(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr const char* kEndings[] = {".jpg",  ".jpeg", ".png", ".bmp",
                                             ".webp", ".ppm",  ".pgm"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* known) { return ending == known; });
}

}  // namespace mien::media
