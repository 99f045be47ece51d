#include "learn/data/clip_cache.h"

#include <algorithm>
#include <utility>

#ifdef MIEN_WITH_MEDIA
#include "media/image.h"
#endif

namespace mien::learn {
namespace {

using Bytes = std::span<const std::uint8_t>;

void spread_gray(Bytes gray, std::span<std::uint8_t> rgb) {
  for (std::size_t i = 0; i < gray.size(); ++i) {
    std::fill_n(rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, gray[i]);
  }
}

#ifdef MIEN_WITH_MEDIA
Status unpack_jpeg(Bytes bytes, int side, std::span<std::uint8_t> out) {
  MIEN_ASSIGN(const media::Image image, media::decode_image(bytes));
  if (image.width != side || image.height != side) {
    return make_error(ErrorCode::kBadFormat, "a frame of another size");
  }
  std::copy(image.rgb.begin(), image.rgb.end(), out.begin());
  return {};
}
#else
Status unpack_jpeg(Bytes, int, std::span<std::uint8_t>) {
  return make_error(ErrorCode::kUnsupported, "JPEG frames need the media libraries");
}
#endif

}  // namespace

ClipCache::ClipCache(std::string path, core::MappedFile file, ClipIndex index)
    : path_(std::move(path)), file_(std::move(file)), index_(std::move(index)) {}

Result<std::unique_ptr<ClipCache>> ClipCache::open(const std::string& path) {
  MIEN_ASSIGN(core::MappedFile file, core::MappedFile::open(path));
  Result<ClipIndex> index = parse_clip_cache(file.bytes());
  if (!index) return index.error().within(path);
#ifndef MIEN_WITH_MEDIA
  if (index->storage == ClipStorage::kJpeg) {
    return make_error(ErrorCode::kUnsupported, "JPEG frames need the media libraries", path);
  }
#endif
  return std::unique_ptr<ClipCache>(new ClipCache(path, std::move(file), std::move(*index)));
}

Status ClipCache::unpack(const CachedFrame& frame, std::span<std::uint8_t> out) const {
  const auto stored = file_.bytes().subspan(static_cast<std::size_t>(frame.offset), frame.size);
  if (clip_crc(stored) != frame.crc) {
    return make_error(ErrorCode::kBadFormat, "the bytes of a frame have changed");
  }
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(stored.data()), stored.size());
  if (index_.storage == ClipStorage::kJpeg) return unpack_jpeg(bytes, index_.side, out);
  if (index_.channels == 1) {
    spread_gray(bytes, out);
  } else {
    std::copy(bytes.begin(), bytes.end(), out.begin());
  }
  return {};
}

Result<std::vector<std::uint8_t>> ClipCache::frames(std::size_t clip,
                                                    std::span<const std::int64_t> indices) const {
  if (clip >= size()) {
    return make_error(ErrorCode::kInvalidArgument, "has no such clip", path_);
  }
  const CachedClip& entry = index_.clips[clip];
  if (const Status status = check_frame_indices(indices, frame_count(clip), entry.id); !status) {
    return status.error().within(path_);
  }
  const std::size_t frame_bytes =
      static_cast<std::size_t>(side()) * static_cast<std::size_t>(side()) * 3;
  std::vector<std::uint8_t> out(indices.size() * frame_bytes);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::span<std::uint8_t> place = std::span(out).subspan(i * frame_bytes, frame_bytes);
    if (i > 0 && indices[i] == indices[i - 1]) {  // the last frame fills up short clips
      const auto before = std::span(out).subspan((i - 1) * frame_bytes, frame_bytes);
      std::copy(before.begin(), before.end(), place.begin());
      continue;
    }
    const auto& frame = index_.frames[entry.first_frame + static_cast<std::size_t>(indices[i])];
    if (const Status status = unpack(frame, place); !status) {
      return status.error().within(entry.id).within(path_);
    }
  }
  return out;
}

}  // namespace mien::learn
