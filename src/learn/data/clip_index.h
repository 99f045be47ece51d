// Private to learn/data: the index of a clip cache, and its bytes. A cache file is, little-endian,
// without gaps:
//
//   "MIENCLIP"                     8 bytes
//   frames                         one after the other: JPEG files, or raw u8 [side, side,
//   channels] index                          see clip_index.cpp footer, 32 bytes               u64
//   offset and u64 size of the index, u32 CRC-32 of the index,
//                                  u32 version, "MIENCIDX"
//
// The index comes last because the sizes of the frames are known last. Every frame has a CRC-32 of
// its own, so that reading 16 frames of a long clip checks these alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/data/clip_lists.h"
#include "mien/result.hpp"

namespace mien::learn {

enum class ClipStorage { kRaw = 0, kJpeg = 1 };

inline constexpr std::uint32_t kClipCacheVersion = 1;
inline constexpr int kMaxClipSide = 1024;  // the largest networks take 224

// Where a frame lies in the file.
struct CachedFrame {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t crc = 0;
};

struct CachedClip {
  std::string id;
  std::string group;
  int label = -1;
  std::vector<float> soft_target;
  std::size_t first_frame = 0;  // in ClipIndex::frames
  std::size_t frame_count = 0;  // >= 1
};

struct ClipIndex {
  std::uint64_t fingerprint = 0;  // of the list and the settings that the cache was made from
  int side = 0;
  int channels = 3;  // 1: grey
  ClipStorage storage = ClipStorage::kRaw;
  std::vector<std::string> classes;
  std::vector<CachedClip> clips;
  std::vector<CachedFrame> frames;    // clip after clip
  std::vector<ClipProblem> problems;  // clips of the list that are not in the cache, and why

  // Bytes of one raw frame as stored.
  std::size_t raw_size() const {
    return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) *
           static_cast<std::size_t>(channels);
  }
};

// CRC-32 as in zip and PNG.
std::uint32_t clip_crc(std::span<const std::byte> bytes);

// What a file begins with.
std::span<const std::byte> clip_cache_magic();

// Index and footer, to be written after frames that end at `offset`.
std::vector<std::byte> clip_index_bytes(const ClipIndex& index, std::uint64_t offset);

// The index of a whole file. Everything is checked: afterwards every frame lies inside the file,
// between magic and index, and every label inside the classes. Errors: kBadFormat, kUnsupported
// (another version).
Result<ClipIndex> parse_clip_cache(std::span<const std::byte> file);

}  // namespace mien::learn
