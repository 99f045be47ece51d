// Picture files into memory. JPEG and PNG go straight to their libraries, which report damage
// instead of printing about it; the rarer formats go through FFmpeg. (OpenCV's imgcodecs would read
// them all, but loads 77 libraries for it, and every start of the program waits for them.)
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>

#include "core/files.h"
#include "media/av_picture.h"
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

// A warning (missing data, junk between markers) counts as damage: half a face is no face. The
// limit on scans stops progressive files that decode for minutes.
constexpr int kJpegFlags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;

Status decode_jpeg_pixels(void* handle, Bytes bytes, TJPF format, int width, int height,
                          std::uint8_t* out) {
  const auto size = static_cast<unsigned long>(bytes.size());
  if (tjDecompress2(handle, bytes.data(), size, out, width, width * tjPixelSize[format], height,
                    format, kJpegFlags) == 0) {
    return {};
  }
  return make_error(ErrorCode::kBadFormat,
                    std::string("a damaged JPEG: ") + tjGetErrorStr2(handle));
}

// Print-shop colours, as Photoshop writes them: 255 is no ink. Without a profile the light that the
// inks let through is multiplied, as all viewers do it.
void rgb_of_inks(std::span<const std::uint8_t> cmyk, std::span<std::uint8_t> rgb) {
  for (std::size_t i = 0; i * 3 < rgb.size(); ++i) {
    const unsigned black = cmyk[i * 4 + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[i * 3 + c] = static_cast<std::uint8_t>((cmyk[i * 4 + c] * black + 127U) / 255U);
    }
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
  Image out = Image::black(width, height);
  if (colors == TJCS_CMYK || colors == TJCS_YCCK) {
    std::vector<std::uint8_t> inks(out.rgb.size() / 3 * 4);
    MIEN_TRY(decode_jpeg_pixels(handle.get(), bytes, TJPF_CMYK, width, height, inks.data()));
    rgb_of_inks(inks, out.rgb);
  } else {
    MIEN_TRY(decode_jpeg_pixels(handle.get(), bytes, TJPF_RGB, width, height, out.rgb.data()));
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
  return decode_av_picture(format, bytes);
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
