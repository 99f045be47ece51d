// Frames as cameras and other programs hold them in memory, and RGB pictures made of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "media/image.h"

namespace mien::media {

// How the bytes of a frame lie. Rows from top to bottom.
enum class PixelLayout {
  kRgb,   // R G B, R G B, ...
  kBgr,   // B G R, ... (OpenCV)
  kRgba,  // R G B A, ...; A is not looked at
  kBgra,  // B G R A, ...
  kGray,  // one byte a pixel
  kYuyv,  // Y U Y V for two pixels; width even (most webcams)
  kNv12,  // height rows of Y, then height / 2 rows of U V pairs with the same stride; both even
};

// Bytes that somebody else owns.
struct PixelBuffer {
  const std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  std::ptrdiff_t stride = 0;  // bytes from one row to the next, at least a row's own
  PixelLayout layout = PixelLayout::kRgb;
};

// Bytes of one row without what lies between rows.
std::ptrdiff_t row_bytes(PixelLayout layout, int width);

// A picture with bytes of its own. The luma and colour differences of kYuyv and kNv12 are read as
// BT.601 in limited range, which is what cameras send. Errors: kInvalidArgument (no data, a side
// below 1, an odd side where it must be even, a stride below a row), kLimit (beyond kMaxImageSide
// or kMaxImagePixels), kInternal.
Result<Image> to_rgb(const PixelBuffer& pixels);

}  // namespace mien::media
