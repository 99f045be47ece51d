// The index of a clip cache: everything comes back, and no lie gets through.
#include "learn/data/clip_index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

namespace mien::learn::clip_index_test {

using ByteString = std::vector<std::byte>;

// A small index whose frames lie in 2 * 48 bytes of pixels behind the magic.
ClipIndex small_index() {
  ClipIndex index;
  index.fingerprint = 77;
  index.side = 4;
  index.channels = 3;
  index.classes = {"a", "b"};
  CachedClip clip;
  clip.id = "x";
  clip.group = "g";
  clip.label = 1;
  clip.soft_target = {0.25F, 0.75F};
  clip.first_frame = 0;
  clip.frame_count = 2;
  index.clips.push_back(clip);
  const ByteString pixels(48);
  index.frames = {{8, 48, clip_crc(pixels)}, {56, 48, clip_crc(pixels)}};
  index.problems.push_back({"y", "there", "gone"});
  return index;
}

ByteString file_with(const ClipIndex& index) {
  const auto magic = clip_cache_magic();
  ByteString file(magic.begin(), magic.end());
  file.resize(8 + 96);
  const ByteString tail = clip_index_bytes(index, file.size());
  file.insert(file.end(), tail.begin(), tail.end());
  return file;
}

TEST(ClipIndex, IndexGivesBackEverything) {
  const ClipIndex back = parse_clip_cache(file_with(small_index())).value();
  EXPECT_EQ(back.fingerprint, 77U);
  EXPECT_EQ(back.side, 4);
  EXPECT_EQ(back.classes, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(back.clips.size(), 1U);
  EXPECT_EQ(back.clips[0].id, "x");
  EXPECT_EQ(back.clips[0].group, "g");
  EXPECT_EQ(back.clips[0].label, 1);
  EXPECT_EQ(back.clips[0].soft_target, (std::vector<float>{0.25F, 0.75F}));
  ASSERT_EQ(back.frames.size(), 2U);
  EXPECT_EQ(back.frames[1].offset, 56U);
  ASSERT_EQ(back.problems.size(), 1U);
  EXPECT_EQ(back.problems[0].reason, "gone");
}

// Checksums keep accidents out, not people: an index may lie with its checksum right.
TEST(ClipIndex, LyingIndexIsRefused) {
  using Lie = std::function<void(ClipIndex&)>;
  const std::vector<std::pair<const char*, Lie>> lies = {
      {"no side", [](ClipIndex& i) { i.side = 0; }},
      {"a huge side", [](ClipIndex& i) { i.side = 65536; }},
      {"two channels", [](ClipIndex& i) { i.channels = 2; }},
      {"a storage of its own", [](ClipIndex& i) { i.storage = static_cast<ClipStorage>(2); }},
      {"a frame in the index", [](ClipIndex& i) { i.frames[1].offset = 57; }},
      {"a frame far away", [](ClipIndex& i) { i.frames[0].offset = ~std::uint64_t{0}; }},
      {"a frame in the magic", [](ClipIndex& i) { i.frames[0].offset = 7; }},
      {"a frame too small", [](ClipIndex& i) { i.frames[0].size = 47; }},
      {"a frame too large", [](ClipIndex& i) { i.frames[0].size = 0xFFFFFFFF; }},
      {"an empty JPEG",
       [](ClipIndex& i) {
         i.storage = ClipStorage::kJpeg;
         i.frames[0].size = 0;
       }},
      {"no frames", [](ClipIndex& i) { i.clips[0].frame_count = 0; }},
      {"a label too large", [](ClipIndex& i) { i.clips[0].label = 2; }},
      {"a label too small", [](ClipIndex& i) { i.clips[0].label = -2; }},
      {"a short soft target", [](ClipIndex& i) { i.clips[0].soft_target.resize(1); }},
      {"a negative soft target", [](ClipIndex& i) { i.clips[0].soft_target[0] = -1.0F; }},
      {"an endless soft target", [](ClipIndex& i) { i.clips[0].soft_target[0] = HUGE_VALF; }},
  };
  for (const auto& [what, lie] : lies) {
    ClipIndex index = small_index();
    lie(index);
    const auto parsed = parse_clip_cache(file_with(index));
    ASSERT_FALSE(parsed.ok()) << what;
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadFormat) << what;
  }
}

TEST(ClipIndex, IndexThatEndsEarlyIsRefused) {
  const ByteString file = file_with(small_index());
  const std::size_t index_at = 8 + 96;
  const std::size_t whole = file.size() - 32 - index_at;
  for (std::size_t size = 0; size <= whole; ++size) {
    ByteString copy(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(index_at + size));
    const std::uint32_t crc = clip_crc(std::span(copy).subspan(index_at));
    ByteString footer(file.end() - 32, file.end());
    for (std::size_t i = 0; i < 8; ++i) footer[8 + i] = static_cast<std::byte>(size >> (8 * i));
    for (std::size_t i = 0; i < 4; ++i) footer[16 + i] = static_cast<std::byte>(crc >> (8 * i));
    copy.insert(copy.end(), footer.begin(), footer.end());
    EXPECT_EQ(parse_clip_cache(copy).ok(), size == whole) << size << " of " << whole;
  }
}

TEST(ClipIndex, AnotherVersionIsUnsupported) {
  ByteString file = file_with(small_index());
  file[file.size() - 12] = std::byte{2};
  EXPECT_EQ(parse_clip_cache(file).error().code, ErrorCode::kUnsupported);
}

}  // namespace mien::learn::clip_index_test
