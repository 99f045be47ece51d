// Any bytes: an error of one line, or an index that holds together and is written back as it was
// read. Each input is tried twice: as it is, and with its checksum put right, since mutated bytes
// would hardly ever get past it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/data/clip_index.h"
#include "learn/data/clip_store.h"

namespace {

using Bytes = std::vector<std::byte>;
namespace learn = mien::learn;

constexpr std::size_t kMagic = 8;    // at the beginning, and at the end of the footer
constexpr std::size_t kFooter = 32;  // clip_index.h

void require(bool condition) {
  if (!condition) __builtin_trap();
}

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  }
  return value;
}

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  }
}

// The input with the magic, place, size, checksum and version that it should have; the index begins
// where the footer says, as far as that lies in the file.
Bytes mended(std::span<const std::byte> input) {
  Bytes out(input.begin(), input.end());
  if (out.size() < kMagic + kFooter) return out;
  const std::size_t end = out.size() - kFooter;
  const std::uint64_t wanted = number_at(out, end);
  const std::size_t begin = wanted >= kMagic && wanted <= end
                                ? static_cast<std::size_t>(wanted)
                                : kMagic + static_cast<std::size_t>(wanted % (end - kMagic + 1));
  const std::size_t size = end - begin;
  const auto magic = learn::clip_cache_magic();
  std::copy(magic.begin(), magic.end(), out.begin());
  put(out, end, begin, 8);
  put(out, end + 8, size, 8);
  put(out, end + 16, learn::clip_crc(std::span(out).subspan(begin, size)), 4);
  put(out, end + 20, learn::kClipCacheVersion, 4);
  const char* last = "MIENCIDX";
  for (std::size_t i = 0; i < kMagic; ++i) out[end + 24 + i] = static_cast<std::byte>(last[i]);
  return out;
}

void check_clip(const learn::ClipIndex& index, const learn::CachedClip& clip) {
  require(clip.frame_count > 0 && clip.first_frame <= index.frames.size() &&
          clip.frame_count <= index.frames.size() - clip.first_frame);
  require(clip.label >= -1 && clip.label < static_cast<int>(index.classes.size()));
  require(learn::fits_classes(clip.soft_target, index.classes.size()));
}

void check(const learn::ClipIndex& index, std::span<const std::byte> file) {
  require(index.side >= 1 && index.side <= learn::kMaxClipSide);
  const std::uint64_t begin = number_at(file, file.size() - kFooter);
  std::size_t frames = 0;
  for (const learn::CachedClip& clip : index.clips) {
    check_clip(index, clip);
    frames += clip.frame_count;
  }
  require(frames == index.frames.size());
  for (const learn::CachedFrame& frame : index.frames) {
    require(frame.offset >= kMagic && frame.offset <= begin && frame.size <= begin - frame.offset);
    require(index.storage == learn::ClipStorage::kRaw ? frame.size == index.raw_size()
                                                      : frame.size > 0);
  }
  const Bytes again = learn::clip_index_bytes(index, begin);
  const auto tail = file.subspan(static_cast<std::size_t>(begin));
  require(std::equal(again.begin(), again.end(), tail.begin(), tail.end()));
}

void parse(std::span<const std::byte> file) {
  const auto index = learn::parse_clip_cache(file);
  if (index) {
    check(*index, file);
  } else {
    require(index.error().to_string().find('\n') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  parse(input);
  parse(mended(input));
  return 0;
}
