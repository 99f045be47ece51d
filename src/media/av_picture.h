// Single pictures through FFmpeg's decoders: the formats that have no library of their own here.
#pragma once

#include <cstdint>
#include <span>

#include "media/image.h"
#include "media/image_probe.h"

namespace mien::media {

// Decodes a whole file of kBmp, kWebp (not animated) or kPnm; alpha is dropped. The caller has
// checked the size that the header names. Errors: kBadFormat for damage, kUnsupported for other
// formats and where FFmpeg was built without the decoder.
Result<Image> decode_av_picture(PictureFormat format, std::span<const std::uint8_t> bytes);

}  // namespace mien::media
