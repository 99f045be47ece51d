// Caches of decoded clips: what goes in comes out, and damage is found.
#include "learn/data/clip_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/files.h"
#include "core/temp_folder.h"
#include "learn/data/clip_cache_writer.h"
#include "media/image.h"

namespace mien::learn::clip_cache_test {

namespace fs = std::filesystem;
using mien::testing::TempFolder;
using ByteString = std::vector<std::byte>;

constexpr int kSide = 16;

// Frame t of clip i: ramps that JPEG keeps well.
media::Image frame_of(int clip, int t) {
  media::Image image = media::Image::black(kSide, kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      std::uint8_t* p = image.row(y) + 3 * x;
      p[0] = static_cast<std::uint8_t>(40 + 6 * x + 5 * t);
      p[1] = static_cast<std::uint8_t>(60 + 5 * y + 10 * clip);
      p[2] = static_cast<std::uint8_t>(200 - 4 * x - 3 * y);
    }
  }
  return image;
}

int frames_of(int clip) {
  return 3 + clip;
}

// Clips c0, c1, ... as folders of PNG files.
ClipList write_clips(const TempFolder& folder, int count) {
  ClipList list;
  list.classes = {"happiness", "sadness", "anger"};
  for (int i = 0; i < count; ++i) {
    ClipEntry entry;
    entry.id = "c" + std::to_string(i);
    entry.path = folder.file(entry.id);
    entry.label = i % 3;
    entry.group = "actor " + std::to_string(i / 2);
    fs::create_directories(entry.path);
    for (int t = 0; t < frames_of(i); ++t) {
      const std::string name = entry.path + "/0000" + std::to_string(t) + ".png";
      EXPECT_TRUE(media::write_png(name, frame_of(i, t)).ok());
    }
    list.clips.push_back(entry);
  }
  return list;
}

// A folder whose only frame is no picture.
ClipEntry write_broken(const TempFolder& folder, const std::string& id) {
  fs::create_directories(folder.file(id));
  std::ofstream(folder.file(id) + "/00000.png") << "not a picture";
  ClipEntry entry;
  entry.id = id;
  entry.path = folder.file(id);
  entry.label = 0;
  return entry;
}

ClipCacheOptions raw_options() {
  ClipCacheOptions options;
  options.side = kSide;
  options.storage = ClipStorage::kRaw;
  return options;
}

std::vector<std::int64_t> all_indices(const ClipStore& store, std::size_t clip) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < store.frame_count(clip); ++i) out.push_back(i);
  return out;
}

// Ok when the file opens and every frame of every clip can be read.
Status read_everything(const std::string& path) {
  MIEN_ASSIGN(const std::unique_ptr<ClipCache> cache, ClipCache::open(path));
  for (std::size_t clip = 0; clip < cache->size(); ++clip) {
    const auto frames = cache->frames(clip, all_indices(*cache, clip));
    if (!frames) return frames.error();
  }
  return {};
}

ByteString bytes_of(const std::string& path) {
  return core::read_file(path).value();
}

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  ASSERT_TRUE(core::write_file_atomically(path, bytes).ok());
}

TEST(ClipCache, RawFramesComeBackExactly) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 5);
  const std::string path = folder.file("caches/train.clips");  // the folder is made
  ASSERT_TRUE(write_clip_cache(path, list, raw_options()).ok());
  const auto cache = ClipCache::open(path).value();
  ASSERT_EQ(cache->size(), 5U);
  EXPECT_EQ(cache->side(), kSide);
  EXPECT_EQ(cache->classes(), list.classes);
  EXPECT_TRUE(cache->problems().empty());
  for (std::size_t i = 0; i < 5; ++i) {
    const int clip = static_cast<int>(i);
    EXPECT_EQ(cache->id(i), list.clips[i].id);
    EXPECT_EQ(cache->group(i), list.clips[i].group);
    EXPECT_EQ(cache->label(i), clip % 3);
    EXPECT_EQ(cache->frame_count(i), frames_of(clip));
    const std::vector<std::int64_t> wanted = {2, 0, 0, 1};  // any order, repeated
    const auto frames = cache->frames(i, wanted).value();
    std::vector<std::uint8_t> expected;
    for (const int t : {2, 0, 0, 1}) {
      const auto rgb = frame_of(clip, t).rgb;
      expected.insert(expected.end(), rgb.begin(), rgb.end());
    }
    EXPECT_EQ(frames, expected) << i;
  }
  const std::vector<std::int64_t> beyond = {0, frames_of(1)};
  EXPECT_EQ(cache->frames(1, beyond).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(cache->frames(1, std::vector<std::int64_t>{-1}).ok());
  EXPECT_FALSE(cache->frames(5, std::vector<std::int64_t>{0}).ok());
}

TEST(ClipCache, JpegFramesComeBackAsTheirJpeg) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 2);
  ClipCacheOptions options = raw_options();
  options.storage = ClipStorage::kJpeg;
  ASSERT_TRUE(write_clip_cache(folder.file("jpeg.clips"), list, options).ok());
  const auto cache = ClipCache::open(folder.file("jpeg.clips")).value();
  const auto frame = cache->frames(1, std::vector<std::int64_t>{3}).value();
  const auto jpeg = media::encode_jpeg(frame_of(1, 3), 95).value();
  EXPECT_EQ(frame, media::decode_image(jpeg).value().rgb);
  const auto truth = frame_of(1, 3).rgb;
  double error = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) error += std::abs(int{frame[i]} - int{truth[i]});
  EXPECT_LT(error / static_cast<double>(truth.size()), 4.0);
}

TEST(ClipCache, GreyKeepsTheLumaAlone) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 1);
  ClipCacheOptions options = raw_options();
  options.gray = true;
  ASSERT_TRUE(write_clip_cache(folder.file("gray.clips"), list, options).ok());
  ASSERT_TRUE(write_clip_cache(folder.file("rgb.clips"), list, raw_options()).ok());
  const auto cache = ClipCache::open(folder.file("gray.clips")).value();
  const auto frame = cache->frames(0, std::vector<std::int64_t>{1}).value();
  const auto truth = frame_of(0, 1).rgb;
  for (std::size_t i = 0; i < truth.size(); i += 3) {
    const double luma = 0.299 * truth[i] + 0.587 * truth[i + 1] + 0.114 * truth[i + 2];
    ASSERT_NEAR(frame[i], luma, 0.51) << i;
    ASSERT_EQ(frame[i], frame[i + 1]);
    ASSERT_EQ(frame[i], frame[i + 2]);
  }
  const std::size_t pixels = std::size_t{kSide} * kSide * 3;  // of the clip's three frames
  EXPECT_EQ(fs::file_size(folder.file("rgb.clips")) - fs::file_size(folder.file("gray.clips")),
            2 * pixels);
}

TEST(ClipCache, BytesDoNotDependOnTheThreads) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 6);
  ClipCacheOptions options = raw_options();
  ByteString first;
  for (const int threads : {0, 1, 5}) {
    options.threads = threads;
    std::vector<std::size_t> steps;
    options.progress = [&](std::size_t done, std::size_t total) {
      EXPECT_EQ(total, 6U);
      steps.push_back(done);
    };
    ASSERT_TRUE(write_clip_cache(folder.file("a.clips"), list, options).ok());
    EXPECT_EQ(steps, (std::vector<std::size_t>{1, 2, 3, 4, 5, 6}));
    const ByteString bytes = bytes_of(folder.file("a.clips"));
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first) << threads;
  }
}

TEST(ClipCache, CutFilesAreRefused) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 2);
  ASSERT_TRUE(write_clip_cache(folder.file("a.clips"), list, raw_options()).ok());
  const ByteString bytes = bytes_of(folder.file("a.clips"));
  const std::string cut = folder.file("cut.clips");
  for (std::size_t size = 0; size < bytes.size(); size += size + 40 < bytes.size() ? 37 : 1) {
    write_bytes(cut, std::span(bytes).first(size));
    const auto opened = ClipCache::open(cut);
    ASSERT_FALSE(opened.ok()) << size << " of " << bytes.size();
    EXPECT_EQ(opened.error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(opened.error().context, cut);
  }
}

TEST(ClipCache, EveryFlippedByteIsFound) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 2);
  ClipCacheOptions options = raw_options();
  options.storage = ClipStorage::kJpeg;
  ASSERT_TRUE(write_clip_cache(folder.file("a.clips"), list, options).ok());
  const ByteString bytes = bytes_of(folder.file("a.clips"));
  ASSERT_TRUE(read_everything(folder.file("a.clips")).ok());
  const std::string damaged = folder.file("damaged.clips");
  const std::size_t tail = bytes.size() - 400;  // index and footer, and the last frame's end
  for (std::size_t at = 0; at < bytes.size(); at += at < 16 || at >= tail ? 1 : 41) {
    ByteString copy = bytes;
    copy[at] ^= static_cast<std::byte>(1U << (at % 8));
    write_bytes(damaged, copy);
    EXPECT_FALSE(read_everything(damaged).ok()) << "byte " << at;
  }
}

TEST(ClipCache, MadeAgainWhenSomethingChanges) {
  const TempFolder folder;
  ClipList list = write_clips(folder, 3);
  const std::string path = folder.file("a.clips");
  ClipCacheOptions options = raw_options();
  const auto built = [&] {
    const auto opened = open_clip_cache(path, list, options);
    EXPECT_TRUE(opened.ok());
    return opened.ok() && !opened->built_because.empty();
  };
  EXPECT_TRUE(built());  // there was none
  EXPECT_FALSE(built());
  options.threads = 1;  // changes no byte
  EXPECT_FALSE(built());
  list.clips[1].label = 0;
  EXPECT_TRUE(built());
  EXPECT_FALSE(built());
  EXPECT_EQ(ClipCache::open(path).value()->label(1), 0);
  ASSERT_TRUE(media::write_png(list.clips[2].path + "/00009.png", frame_of(2, 9)).ok());
  EXPECT_TRUE(built());
  EXPECT_EQ(ClipCache::open(path).value()->frame_count(2), frames_of(2) + 1);
  options.side = 8;
  EXPECT_TRUE(built());
  std::swap(list.clips[0], list.clips[1]);
  EXPECT_TRUE(built());
  write_bytes(path, ByteString(100));
  EXPECT_TRUE(built());
  EXPECT_FALSE(built());
}

// In place, without a new file in the folder: only the file's own size and time tell.
TEST(ClipCache, FingerprintSeesFilesOverwritten) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 2);
  const std::uint64_t before = clip_fingerprint(list, raw_options());
  EXPECT_EQ(clip_fingerprint(list, raw_options()), before);
  std::ofstream(list.clips[1].path + "/00001.png", std::ios::app) << "more";
  EXPECT_NE(clip_fingerprint(list, raw_options()), before);
}

TEST(ClipCache, UnreadableClipsAreListed) {
  const TempFolder folder;
  ClipList list = write_clips(folder, 3);
  list.clips.insert(list.clips.begin() + 1, write_broken(folder, "broken"));
  ClipEntry missing;
  missing.id = "missing";
  missing.path = folder.file("nowhere");
  missing.label = 2;
  list.clips.push_back(missing);
  ClipCacheOptions options = raw_options();
  const std::string path = folder.file("a.clips");
  for (int run = 0; run < 2; ++run) {  // the second finds them in the file
    const auto opened = open_clip_cache(path, list, options).value();
    EXPECT_EQ(opened.built_because.empty(), run == 1);
    ASSERT_EQ(opened.cache->size(), 3U);
    EXPECT_EQ(opened.cache->id(1), "c1");
    ASSERT_EQ(opened.cache->problems().size(), 2U);
    EXPECT_EQ(opened.cache->problems()[0].id, "broken");
    EXPECT_FALSE(opened.cache->problems()[0].reason.empty());
    EXPECT_EQ(opened.cache->problems()[1].id, "missing");
    EXPECT_EQ(opened.cache->problems()[1].path, missing.path);
  }
  options.strict = true;
  EXPECT_NE(open_clip_cache(path, list, options).error().context.find("broken"), std::string::npos);
  options.max_frames = 3;  // another cache: c1 and c2 are too long for it now
  options.strict = false;
  EXPECT_EQ(open_clip_cache(path, list, options).value().cache->size(), 1U);
}

TEST(ClipCache, NothingToReadIsAnError) {
  const TempFolder folder;
  ClipList list;
  list.classes = {"happiness"};
  const std::string path = folder.file("a.clips");
  EXPECT_EQ(write_clip_cache(path, list, raw_options()).error().code, ErrorCode::kNotFound);
  list.clips.push_back(write_broken(folder, "broken"));
  EXPECT_FALSE(write_clip_cache(path, list, raw_options()).ok());
  list.clips[0].label = 1;
  EXPECT_EQ(write_clip_cache(path, list, raw_options()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(folder.count(), 1U);  // the clip's folder: no half file is left
}

// A killed run cannot clean up behind itself; the next one does, and only in its own matters.
TEST(ClipCache, HalvesOfKilledRunsAreRemoved) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 1);
  const std::string path = folder.file("a.clips");
  for (const char* name : {"a.clips.tmp-1-0", "a.clips.tmp-99999999-3"}) {
    write_bytes(folder.file(name), ByteString(100));
  }
  const std::string other = folder.file("b.clips.tmp-1-0");
  const std::string named = folder.file("a.clips.tmp-mine");
  write_bytes(other, ByteString(100));
  write_bytes(named, ByteString(100));
  ASSERT_TRUE(write_clip_cache(path, list, raw_options()).ok());
  EXPECT_TRUE(read_everything(path).ok());
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(fs::exists(named));
  EXPECT_EQ(folder.count(), 4U);  // these two, the clip and the cache
}

TEST(ClipCache, CancelStopsWithoutAFile) {
  const TempFolder folder;
  const ClipList list = write_clips(folder, 4);
  std::atomic<bool> cancel = false;
  ClipCacheOptions options = raw_options();
  options.cancel = &cancel;
  options.progress = [&](std::size_t done, std::size_t) { cancel = done == 2; };
  const auto status = write_clip_cache(folder.file("a.clips"), list, options);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(folder.count(), 4U);
}

TEST(ClipCache, StorageNames) {
  EXPECT_EQ(clip_storage_from_name("raw").value(), ClipStorage::kRaw);
  EXPECT_EQ(clip_storage_from_name("jpeg").value(), ClipStorage::kJpeg);
  EXPECT_FALSE(clip_storage_from_name("png").ok());
}

}  // namespace mien::learn::clip_cache_test
