// What a picture file is and how large, from its first bytes, before anything is decoded.
#pragma once

#include <cstdint>
#include <span>

#include "media/image.h"

namespace mien::media {

enum class PictureFormat { kUnknown, kJpeg, kPng, kBmp, kWebp, kPnm };

PictureFormat picture_format(std::span<const std::uint8_t> bytes);

// Width and height as the header says, for kBmp, kWebp and kPnm (the JPEG and PNG libraries tell
// theirs themselves). Error kBadFormat for a header that is cut short or makes no sense.
struct PictureSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};
Result<PictureSize> probe_size(PictureFormat format, std::span<const std::uint8_t> bytes);

// The EXIF orientation of a JPEG file, 1..8; 1 when there is none or it cannot be read.
int jpeg_orientation(std::span<const std::uint8_t> bytes);

// A turn by quarters, mirrored or not: the pixel offset (x, y) from the middle goes to
// (xx x + xy y, yx x + yy y); every value is -1, 0 or 1.
struct Orientation {
  int xx = 1, xy = 0, yx = 0, yy = 1;
  bool identity() const { return xx == 1 && yy == 1; }
  bool swaps_sides() const { return xx == 0; }
};

// The turn that shows a picture of that EXIF orientation upright.
Orientation exif_turn(int orientation);

// `image` turned.
Image turn_image(const ImageView& image, const Orientation& turn);

}  // namespace mien::media
