// Pictures in memory: 8-bit RGB, read from and written to files, and resized exactly as Pillow does
// (the papers' preprocessing goes through Pillow, so any other filter is another model input).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::media {

// A picture somebody else owns: height rows of width RGB triples, rows `stride` bytes apart.
// Valid as long as its owner lives. width or height 0 means an empty picture.
//
// Coordinates everywhere in media: pixel (0,0) covers the square 0..1, so its centre is (0.5, 0.5).
struct ImageView {
  int width = 0;
  int height = 0;
  std::size_t stride = 0;
  const std::uint8_t* rgb = nullptr;

  bool empty() const { return width <= 0 || height <= 0 || rgb == nullptr; }
  const std::uint8_t* row(int y) const { return rgb + static_cast<std::size_t>(y) * stride; }
};

// A picture that owns its bytes: HWC, R G B, row stride 3 * width.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  // A black picture of that size (both >= 0).
  static Image black(int width, int height);

  bool empty() const { return width <= 0 || height <= 0; }
  ImageView view() const {
    return {width, height, static_cast<std::size_t>(width) * 3, rgb.data()};
  }
  operator ImageView() const { return view(); }  // NOLINT: a view of a picture is the picture
  std::uint8_t* row(int y) { return rgb.data() + static_cast<std::size_t>(y) * width * 3; }
};

// The part of `image` inside the rectangle, cut to the picture; shares its bytes.
ImageView sub_view(const ImageView& image, int x, int y, int width, int height);

// A copy with its own bytes.
Image copy_image(const ImageView& image);

// No picture or frame beyond these is decoded: 16384 pixels a side and 256 million in all.
inline constexpr int kMaxImageSide = 16384;
inline constexpr std::int64_t kMaxImagePixels = 256LL * 1000 * 1000;

// Ok when 0 < side <= kMaxImageSide and the product <= kMaxImagePixels; else kBadFormat (a side of
// 0) or kLimit.
Status check_image_size(std::int64_t width, std::int64_t height);

// Pillow's Image.resize((width, height), BILINEAR), bit for bit: a triangle filter whose support
// grows with the reduction (antialiased), horizontal pass first, 22-bit fixed-point coefficients,
// 8-bit intermediate (libImaging/Resample.c). The aspect ratio is not kept.
// Error kInvalidArgument for an empty picture or a size < 1, kLimit for a size beyond the limits.
Result<Image> resize_bilinear(const ImageView& image, int width, int height);

// Decodes a whole JPEG, PNG, BMP, WebP or PPM/PGM file held in memory. Grey becomes RGB, 16 bits
// become 8, alpha is dropped, EXIF orientation (JPEG) is applied. `name` is the context of errors:
// kBadFormat (damaged, cut short, not an image), kLimit (too large), kUnsupported (another format).
Result<Image> decode_image(std::span<const std::uint8_t> bytes, const std::string& name = {});

// Reads and decodes an image file. Errors as decode_image, and kNotFound / kIo; context = path.
Result<Image> read_image(const std::string& path);

// True when the name ends like a picture that decode_image reads (.jpg .jpeg .png .bmp .webp .ppm
// .pgm, any case).
bool has_image_extension(const std::string& path);

// Encoded bytes. Error kInvalidArgument for an empty picture, kInternal when the encoder fails.
Result<std::vector<std::uint8_t>> encode_png(const ImageView& image);
Result<std::vector<std::uint8_t>> encode_jpeg(const ImageView& image, int quality = 90);

// Writes to a temporary name beside `path`, then renames, so that nothing half-written stays.
// Error kIo with context = path.
Status write_png(const std::string& path, const ImageView& image);
Status write_jpeg(const std::string& path, const ImageView& image, int quality = 90);

}  // namespace mien::media
