// The index, in this order (u32 unless said otherwise; a text is its length and its bytes):
//   u64 fingerprint, side, channels, storage
//   count of classes, each a text
//   count of clips, each: text id, text group, i32 label, count of soft target values (f32 each),
//     count of frames, each: u64 offset, size, CRC
//   count of problems, each: text id, text path, text reason
#include "learn/data/clip_index.h"

#include <zlib.h>

#include <bit>
#include <cstring>

#include "learn/data/clip_store.h"

namespace mien::learn {
namespace {

constexpr char kMagic[] = "MIENCLIP";
constexpr char kFooterMagic[] = "MIENCIDX";
constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kFooterBytes = 32;

Error bad(const std::string& what) {
  return make_error(ErrorCode::kBadFormat, "is not a whole clip cache: " + what);
}

class ByteWriter {
 public:
  void u32(std::uint64_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void text(const std::string& value) {
    u32(value.size());
    raw(value.data(), value.size());
  }
  void raw(const char* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte>& bytes() { return out_; }

 private:
  void number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      out_.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFF));
    }
  }
  std::vector<std::byte> out_;
};

// Reads off the front of a span. After an attempt to read past its end, everything is 0 or empty
// and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::string text() {
    const auto bytes = take(u32());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const std::byte byte : take(size)) {
      value |= std::to_integer<std::uint64_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }

  std::span<const std::byte> rest_;
  bool ok_ = true;
};

void write_index(const ClipIndex& index, ByteWriter& out) {
  out.u64(index.fingerprint);
  out.u32(static_cast<std::uint64_t>(index.side));
  out.u32(static_cast<std::uint64_t>(index.channels));
  out.u32(static_cast<std::uint64_t>(index.storage));
  out.u32(index.classes.size());
  for (const std::string& name : index.classes) out.text(name);
  out.u32(index.clips.size());
  for (const CachedClip& clip : index.clips) {
    out.text(clip.id);
    out.text(clip.group);
    out.u32(static_cast<std::uint32_t>(clip.label));
    out.u32(clip.soft_target.size());
    for (const float value : clip.soft_target) out.u32(std::bit_cast<std::uint32_t>(value));
    out.u32(clip.frame_count);
    for (std::size_t i = 0; i < clip.frame_count; ++i) {
      const CachedFrame& frame = index.frames[clip.first_frame + i];
      out.u64(frame.offset);
      out.u32(frame.size);
      out.u32(frame.crc);
    }
  }
  out.u32(index.problems.size());
  for (const ClipProblem& problem : index.problems) {
    out.text(problem.id);
    out.text(problem.path);
    out.text(problem.reason);
  }
}

// A frame inside [kMagicBytes, data_end) of a size that its storage allows.
bool frame_fits(const CachedFrame& frame, const ClipIndex& index, std::uint64_t data_end) {
  if (frame.offset < kMagicBytes || frame.offset > data_end) return false;
  if (frame.size > data_end - frame.offset) return false;
  return index.storage == ClipStorage::kRaw ? frame.size == index.raw_size() : frame.size > 0;
}

// Counts are never trusted with memory: loops end with the bytes.
Status read_clips(ByteReader& in, ClipIndex& index, std::uint64_t data_end) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    CachedClip clip;
    clip.id = in.text();
    clip.group = in.text();
    clip.label = static_cast<std::int32_t>(in.u32());
    const std::uint32_t values = in.u32();
    if (values != 0 && values != index.classes.size()) return bad("soft target of " + clip.id);
    for (std::uint32_t v = 0; v < values && in.ok(); ++v) {
      clip.soft_target.push_back(std::bit_cast<float>(in.u32()));
    }
    const std::uint32_t frames = in.u32();
    clip.first_frame = index.frames.size();
    clip.frame_count = frames;
    for (std::uint32_t f = 0; f < frames && in.ok(); ++f) {
      CachedFrame frame;
      frame.offset = in.u64();
      frame.size = in.u32();
      frame.crc = in.u32();
      if (in.ok() && !frame_fits(frame, index, data_end)) return bad("a frame of " + clip.id);
      index.frames.push_back(frame);
    }
    if (!in.ok()) break;
    if (frames == 0) return bad("no frames in " + clip.id);
    if (clip.label < -1 || clip.label >= static_cast<int>(index.classes.size()) ||
        !fits_classes(clip.soft_target, index.classes.size())) {
      return bad("label of " + clip.id);
    }
    index.clips.push_back(std::move(clip));
  }
  return {};
}

Result<ClipIndex> read_index(std::span<const std::byte> bytes, std::uint64_t data_end) {
  ByteReader in(bytes);
  ClipIndex index;
  index.fingerprint = in.u64();
  const std::uint32_t side = in.u32();
  const std::uint32_t channels = in.u32();
  const std::uint32_t storage = in.u32();
  if (side < 1 || side > static_cast<std::uint32_t>(kMaxClipSide) ||
      (channels != 1 && channels != 3) || storage > 1) {
    return bad("side, channels or storage");
  }
  index.side = static_cast<int>(side);
  index.channels = static_cast<int>(channels);
  index.storage = static_cast<ClipStorage>(storage);
  const std::uint32_t classes = in.u32();
  for (std::uint32_t i = 0; i < classes && in.ok(); ++i) index.classes.push_back(in.text());
  MIEN_TRY(read_clips(in, index, data_end));
  const std::uint32_t problems = in.u32();
  for (std::uint32_t i = 0; i < problems && in.ok(); ++i) {
    ClipProblem problem;
    problem.id = in.text();
    problem.path = in.text();
    problem.reason = in.text();
    index.problems.push_back(std::move(problem));
  }
  if (!in.ok() || !in.at_end()) return bad("the index has another length");
  return index;
}

bool begins_with(std::span<const std::byte> bytes, const char* magic) {
  return bytes.size() >= kMagicBytes && std::memcmp(bytes.data(), magic, kMagicBytes) == 0;
}

}  // namespace

std::uint32_t clip_crc(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), data, bytes.size()));
}

std::span<const std::byte> clip_cache_magic() {
  return std::as_bytes(std::span(kMagic, kMagicBytes));
}

std::vector<std::byte> clip_index_bytes(const ClipIndex& index, std::uint64_t offset) {
  ByteWriter out;
  write_index(index, out);
  const std::size_t size = out.bytes().size();
  const std::uint32_t crc = clip_crc(out.bytes());
  out.u64(offset);
  out.u64(size);
  out.u32(crc);
  out.u32(kClipCacheVersion);
  out.raw(kFooterMagic, kMagicBytes);
  return std::move(out.bytes());
}

Result<ClipIndex> parse_clip_cache(std::span<const std::byte> file) {
  if (file.size() < kMagicBytes + kFooterBytes || !begins_with(file, kMagic)) {
    return bad("no such beginning");
  }
  const auto footer = file.last(kFooterBytes);
  if (!begins_with(footer.last(kMagicBytes), kFooterMagic)) return bad("the end is missing");
  ByteReader in(footer);
  const std::uint64_t offset = in.u64();
  const std::uint64_t size = in.u64();
  const std::uint32_t crc = in.u32();
  const std::uint32_t version = in.u32();
  if (version != kClipCacheVersion) {
    return make_error(ErrorCode::kUnsupported,
                      "is a clip cache of version " + std::to_string(version));
  }
  const std::uint64_t end = file.size() - kFooterBytes;
  if (offset < kMagicBytes || offset > end || size != end - offset)
    return bad("place of the index");
  const auto index = file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  if (clip_crc(index) != crc) return bad("checksum of the index");
  return read_index(index, offset);
}

}  // namespace mien::learn
