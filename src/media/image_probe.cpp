#include "media/image_probe.h"

#include <cctype>
#include <cstring>
#include <optional>

namespace mien::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint32_t little(Bytes b, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = (value << 8) | b[at + i];
  return value;
}

std::uint32_t big(Bytes b, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = (value << 8) | b[at + i];
  return value;
}

bool starts_with(Bytes b, std::size_t at, const char* text) {
  const std::size_t n = std::strlen(text);
  return b.size() >= at + n && std::memcmp(b.data() + at, text, n) == 0;
}

Error cut_header() {
  return make_error(ErrorCode::kBadFormat, "the header is cut short");
}

Result<PictureSize> bmp_size(Bytes b) {
  if (b.size() < 26) return cut_header();
  if (little(b, 14, 4) == 12) return PictureSize{little(b, 18, 2), little(b, 20, 2)};
  const auto width = static_cast<std::int32_t>(little(b, 18, 4));
  const auto height = static_cast<std::int32_t>(little(b, 22, 4));
  return PictureSize{width, height < 0 ? -static_cast<std::int64_t>(height) : height};
}

// RIFF <size> WEBP, then one of three kinds of first chunk.
Result<PictureSize> webp_size(Bytes b) {
  if (b.size() < 30) return cut_header();
  if (starts_with(b, 12, "VP8X")) return PictureSize{little(b, 24, 3) + 1, little(b, 27, 3) + 1};
  if (starts_with(b, 12, "VP8L")) {
    const std::uint32_t bits = little(b, 21, 4);
    return PictureSize{(bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1};
  }
  if (starts_with(b, 12, "VP8 ")) {
    return PictureSize{little(b, 26, 2) & 0x3FFF, little(b, 28, 2) & 0x3FFF};
  }
  return make_error(ErrorCode::kBadFormat, "not a WebP picture");
}

// "P6 <width> <height> ...", blanks and # comments between.
Result<PictureSize> pnm_size(Bytes b) {
  std::int64_t values[2] = {0, 0};
  std::size_t at = 2;
  for (std::int64_t& value : values) {
    while (at < b.size() && (std::isspace(b[at]) != 0 || b[at] == '#')) {
      if (b[at] == '#') {
        while (at < b.size() && b[at] != '\n') ++at;
      } else {
        ++at;
      }
    }
    if (at >= b.size() || std::isdigit(b[at]) == 0) return cut_header();
    for (; at < b.size() && std::isdigit(b[at]) != 0; ++at) {
      value = value * 10 + (b[at] - '0');
      if (value > (1LL << 31)) return make_error(ErrorCode::kLimit, "the picture size is absurd");
    }
  }
  return PictureSize{values[0], values[1]};
}

// The orientation tag in the first directory of a TIFF block (EXIF's container).
int tiff_orientation(Bytes tiff) {
  if (tiff.size() < 8) return 1;
  const bool is_little = starts_with(tiff, 0, "II");
  if (!is_little && !starts_with(tiff, 0, "MM")) return 1;
  auto read = [&](std::size_t at, int n) {
    return is_little ? little(tiff, at, n) : big(tiff, at, n);
  };
  const std::size_t directory = read(4, 4);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = read(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * 12;
    if (at + 12 > tiff.size()) return 1;
    constexpr std::uint32_t kOrientationTag = 0x0112;
    if (read(at, 2) != kOrientationTag) continue;
    const std::uint32_t value = read(at + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

PictureFormat picture_format(Bytes b) {
  if (b.size() >= 3 && b[0] == 0xFF && b[1] == 0xD8 && b[2] == 0xFF) return PictureFormat::kJpeg;
  if (starts_with(b, 0, "\x89PNG\r\n\x1a\n")) return PictureFormat::kPng;
  if (starts_with(b, 0, "BM")) return PictureFormat::kBmp;
  if (starts_with(b, 0, "RIFF") && starts_with(b, 8, "WEBP")) return PictureFormat::kWebp;
  if (b.size() >= 3 && b[0] == 'P' && b[1] >= '2' && b[1] <= '6' && b[1] != '4' &&
      std::isspace(b[2]) != 0) {
    return PictureFormat::kPnm;
  }
  return PictureFormat::kUnknown;
}

Result<PictureSize> probe_size(PictureFormat format, Bytes bytes) {
  switch (format) {
    case PictureFormat::kBmp: return bmp_size(bytes);
    case PictureFormat::kWebp: return webp_size(bytes);
    case PictureFormat::kPnm: return pnm_size(bytes);
    default: return make_error(ErrorCode::kUnsupported, "not a picture format that is read");
  }
}

int jpeg_orientation(Bytes b) {
  std::size_t at = 2;
  while (at + 4 <= b.size() && b[at] == 0xFF) {
    const std::uint8_t marker = b[at + 1];
    if (marker == 0xDA || marker == 0xD9) return 1;  // the picture itself begins: no EXIF came
    const std::size_t length = big(b, at + 2, 2);
    if (length < 2 || at + 2 + length > b.size()) return 1;
    if (marker == 0xE1 && starts_with(b, at + 4, "Exif") && length >= 8) {
      return tiff_orientation(b.subspan(at + 10, length - 8));
    }
    at += 2 + length;
  }
  return 1;
}

Orientation exif_turn(int orientation) {
  switch (orientation) {
    case 2: return {-1, 0, 0, 1};
    case 3: return {-1, 0, 0, -1};
    case 4: return {1, 0, 0, -1};
    case 5: return {0, 1, 1, 0};
    case 6: return {0, -1, 1, 0};
    case 7: return {0, -1, -1, 0};
    case 8: return {0, 1, -1, 0};
    default: return {};
  }
}

Image turn_image(const ImageView& image, const Orientation& turn) {
  const int width = turn.swaps_sides() ? image.height : image.width;
  const int height = turn.swaps_sides() ? image.width : image.height;
  Image out = Image::black(width, height);
  // A quarter turn is orthogonal, so its inverse is its transpose: walk the target, read the
  // source. Starting at the corner whose coordinates are all counted from the proper end.
  const int x0 = (turn.xx < 0 || turn.yx < 0) ? image.width - 1 : 0;
  const int y0 = (turn.xy < 0 || turn.yy < 0) ? image.height - 1 : 0;
  for (int y = 0; y < height; ++y) {
    std::uint8_t* target = out.row(y);
    for (int x = 0; x < width; ++x, target += 3) {
      const int sx = x0 + turn.xx * x + turn.yx * y;
      const int sy = y0 + turn.xy * x + turn.yy * y;
      std::memcpy(target, image.row(sy) + static_cast<std::size_t>(sx) * 3, 3);
    }
  }
  return out;
}

}  // namespace mien::media
