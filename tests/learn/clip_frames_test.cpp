// Frames of clips: folders of pictures and videos, counted and decoded by index.
#include "learn/data/clip_frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/temp_folder.h"
#include "media/video_writer.h"

namespace mien::learn::clip_frames_test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

// One level of grey per frame: tells which frame came.
media::Image grey(int level, int width = 64, int height = 48) {
  media::Image image = media::Image::black(width, height);
  std::fill(image.rgb.begin(), image.rgb.end(), static_cast<std::uint8_t>(level));
  return image;
}

int level_of(const media::Image& image) {
  return image.rgb.at(image.rgb.size() / 2);
}

ClipEntry clip_at(const std::string& path, double start_s = 0, double end_s = -1) {
  ClipEntry clip;
  clip.path = path;
  clip.start_s = start_s;
  clip.end_s = end_s;
  return clip;
}

// 10.png before 2.png, as bytes sort; levels follow the sorted order: 20, 40, 60, 80.
void make_folder(const TempFolder& root, const std::string& name) {
  fs::create_directories(root.file(name));
  int level = 0;
  for (const char* file : {"1.png", "10.png", "2.png", "3.png"}) {
    level += 20;
    ASSERT_TRUE(media::write_png(root.file(name + "/" + file), grey(level)).ok());
  }
  std::ofstream(root.file(name + "/notes.txt")) << "no picture";
  std::ofstream(root.file(name + "/._1.png")) << "left by another system";
}

// Ten frames, a tenth of a second apart, of levels 20, 40 .. 200.
Status make_video(const std::string& path) {
  MIEN_ASSIGN(media::VideoWriter writer, media::VideoWriter::open(path, 64, 48));
  for (int i = 0; i < 10; ++i) MIEN_TRY(writer.write(grey(20 + 20 * i), 0.1 * i));
  return writer.finish();
}

std::vector<int> levels(const Result<std::vector<media::Image>>& frames) {
  std::vector<int> out;
  if (!frames.ok()) {
    ADD_FAILURE() << frames.error().to_string();
    return out;
  }
  for (const media::Image& frame : *frames) out.push_back(level_of(frame));
  return out;
}

// Video levels come back within a few units of what was written.
void expect_near(const std::vector<int>& found, const std::vector<int>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 6) << i;
}

TEST(ClipFrames, AFolderIsReadInTheOrderOfItsNames) {
  const TempFolder root;
  make_folder(root, "clip");
  const ClipEntry clip = clip_at(root.file("clip"));
  EXPECT_EQ(count_frames(clip).value(), 4);
  const std::vector<std::int64_t> indices = {3, 0, 0, 2, 3};
  EXPECT_EQ(levels(read_frames(clip, indices)), (std::vector<int>{80, 20, 20, 60, 80}));
  const auto small = read_frames(clip, indices, {16, 24});
  ASSERT_TRUE(small.ok()) << small.error().to_string();
  EXPECT_EQ((*small)[1].width, 16);
  EXPECT_EQ((*small)[1].height, 24);
  EXPECT_EQ(level_of((*small)[0]), 80);
  EXPECT_TRUE(read_frames(clip, {}).value().empty());
}

// Frames are resized as media::resize_bilinear does it, from the whole picture.
TEST(ClipFrames, ResizingIsThatOfThePapers) {
  const TempFolder root;
  fs::create_directories(root.file("clip"));
  media::Image ramp = media::Image::black(40, 30);
  for (std::size_t i = 0; i < ramp.rgb.size(); ++i)
    ramp.rgb[i] = static_cast<std::uint8_t>(i % 251);
  ASSERT_TRUE(media::write_png(root.file("clip/1.png"), ramp).ok());
  const std::vector<std::int64_t> first = {0};
  const auto frames = read_frames(clip_at(root.file("clip")), first, {17, 17});
  ASSERT_TRUE(frames.ok()) << frames.error().to_string();
  EXPECT_EQ((*frames)[0].rgb, media::resize_bilinear(ramp, 17, 17).value().rgb);
}

// The square of an entry is cut out first; beyond the frame its outermost pixels are repeated.
TEST(ClipFrames, ASquareIsCutBeforeResizing) {
  const TempFolder root;
  fs::create_directories(root.file("clip"));
  media::Image picture = media::Image::black(5, 4);
  for (std::size_t i = 0; i < picture.rgb.size(); ++i)
    picture.rgb[i] = static_cast<std::uint8_t>(4 * i);
  ASSERT_TRUE(media::write_png(root.file("clip/1.png"), picture).ok());
  ClipEntry clip = clip_at(root.file("clip"));
  const std::vector<std::int64_t> first = {0};
  clip.face = {1, 1, 3};
  EXPECT_EQ(read_frames(clip, first).value()[0].rgb,
            media::copy_image(media::sub_view(picture, 1, 1, 3, 3)).rgb);
  EXPECT_EQ(read_frames(clip, first, {2, 2}).value()[0].rgb,
            media::resize_bilinear(media::sub_view(picture, 1, 1, 3, 3), 2, 2).value().rgb);
  clip.face = {-2, 2, 4};  // two columns to the left and two rows below are missing
  const media::Image over = read_frames(clip, first).value()[0];
  ASSERT_EQ(over.width, 4);
  ASSERT_EQ(over.height, 4);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) {
      const std::uint8_t* expected =
          picture.view().row(std::min(y + 2, 3)) + 3 * std::max(x - 2, 0);
      EXPECT_TRUE(std::equal(expected, expected + 3, over.view().row(y) + 3 * x)) << x << " " << y;
    }
  }
  clip.face = {100, -100, 2};  // nowhere near the frame
  const media::Image outside = read_frames(clip, first).value()[0];
  EXPECT_EQ(outside.rgb[0], picture.view().row(0)[3 * 4]);
  EXPECT_EQ(outside.rgb.size(), 12U);
}

TEST(ClipFrames, ChosenFramesAloneAreVisited) {
  const TempFolder root;
  make_folder(root, "clip");
  const ClipEntry clip = clip_at(root.file("clip"));
  std::vector<int> seen;
  const auto visit = [&](std::int64_t index, const media::Image& frame) {
    EXPECT_EQ(level_of(frame), 20 * (static_cast<int>(index) + 1));
    seen.push_back(static_cast<int>(index));
    return index == 2 ? Status(make_error(ErrorCode::kLimit, "enough")) : Status();
  };
  const std::vector<std::int64_t> chosen = {0, 3, 7};  // there is no frame 7
  EXPECT_TRUE(visit_chosen_frames(clip, chosen, visit, {4, 4}).ok());
  EXPECT_EQ(seen, (std::vector<int>{0, 3}));
  const std::vector<std::int64_t> stopping = {1, 2, 3};
  EXPECT_EQ(visit_chosen_frames(clip, stopping, visit).error().message, "enough");
  EXPECT_EQ(seen, (std::vector<int>{0, 3, 1, 2}));
  EXPECT_TRUE(visit_chosen_frames(clip, {}, visit).ok());
  EXPECT_EQ(count_frames(clip, 3).value(), 3);
  EXPECT_EQ(count_frames(clip, 9).value(), 4);
}

TEST(ClipFrames, PartsOfAFolderGoByTwentyFiveASecond) {
  const TempFolder root;
  make_folder(root, "clip");
  const ClipEntry middle = clip_at(root.file("clip"), 0.04, 0.12);
  EXPECT_EQ(count_frames(middle).value(), 2);
  const std::vector<std::int64_t> both = {0, 1};
  EXPECT_EQ(levels(read_frames(middle, both)), (std::vector<int>{40, 60}));
  EXPECT_EQ(count_frames(clip_at(root.file("clip"), 5.0)).error().code, ErrorCode::kBadFormat);
}

TEST(ClipFrames, AVideoIsReadByIndexAndByTime) {
  const TempFolder root;
  const std::string path = root.file("clip.mp4");
  const Status made = make_video(path);
  if (!made.ok() && made.error().code == ErrorCode::kUnsupported) {
    GTEST_SKIP() << made.error().to_string();
  }
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  EXPECT_EQ(count_frames(clip_at(path)).value(), 10);
  const std::vector<std::int64_t> indices = {9, 0, 4, 4, 1};
  expect_near(levels(read_frames(clip_at(path), indices)), {200, 20, 100, 100, 40});
  // 0.3, 0.4 and 0.5 s; the end does not belong to the part.
  const ClipEntry part = clip_at(path, 0.3, 0.6);
  EXPECT_EQ(count_frames(part).value(), 3);
  const std::vector<std::int64_t> three = {2, 1, 0};
  expect_near(levels(read_frames(part, three, {8, 8})), {120, 100, 80});
  EXPECT_EQ(count_frames(clip_at(path, 0.75)).value(), 2);
  EXPECT_EQ(count_frames(clip_at(path, 2.0)).error().code, ErrorCode::kBadFormat);
}

TEST(ClipFrames, ChosenFramesOfAFolderAreTheOnlyOnesDecoded) {
  const TempFolder root;
  make_folder(root, "clip");
  std::ofstream(root.file("clip/2.png")) << "no picture any more";  // frame 2
  const ClipEntry clip = clip_at(root.file("clip"));
  std::int64_t told = 0;
  const auto ends = read_chosen_frames(clip, [&](std::int64_t count) {
    told = count;
    return std::vector<std::int64_t>{count - 1, 0};
  });
  EXPECT_EQ(levels(ends), (std::vector<int>{80, 20}));
  EXPECT_EQ(told, 4);
  const auto broken =
      read_chosen_frames(clip, [](std::int64_t) { return std::vector<std::int64_t>{2}; });
  EXPECT_FALSE(broken.ok());
}

TEST(ClipFrames, ChosenFramesOfAVideoTakeOnePass) {
  const TempFolder root;
  const std::string path = root.file("clip.mp4");
  const Status made = make_video(path);
  if (!made.ok() && made.error().code == ErrorCode::kUnsupported) {
    GTEST_SKIP() << made.error().to_string();
  }
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  const auto ends = [](std::int64_t count) {
    return std::vector<std::int64_t>{count - 1, 0, 0, 4};
  };
  expect_near(levels(read_chosen_frames(clip_at(path), ends, {8, 8})), {200, 20, 20, 100});
  // 0.3, 0.4 and 0.5 s.
  expect_near(levels(read_chosen_frames(clip_at(path, 0.3, 0.6),
                                        [](std::int64_t count) {
                                          return std::vector<std::int64_t>{count - 1, 0};
                                        })),
              {120, 80});
  // Room for nine frames of 8 x 8: the video is read twice, to the same end.
  const std::size_t nine = 9U * 8 * 8 * 3;
  expect_near(levels(read_chosen_frames(clip_at(path), ends, {8, 8}, nine)), {200, 20, 20, 100});
  const auto beyond = [](std::int64_t count) { return std::vector<std::int64_t>{count}; };
  EXPECT_EQ(read_chosen_frames(clip_at(path), beyond).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_chosen_frames(clip_at(root.file("gone")), ends).error().code,
            ErrorCode::kNotFound);
  // Held frames do not need the video any more, others do.
  const auto removing = [&](std::int64_t count) {
    fs::remove(path);
    return std::vector<std::int64_t>{count - 1};
  };
  EXPECT_EQ(read_chosen_frames(clip_at(path), removing, {8, 8}, 10U * 8 * 8 * 3)->size(), 1U);
  ASSERT_TRUE(make_video(path).ok());
  EXPECT_EQ(read_chosen_frames(clip_at(path), removing, {8, 8}, nine).error().code,
            ErrorCode::kNotFound);
}

TEST(ClipFrames, AVisitSeesEveryFrameOnce) {
  const TempFolder root;
  make_folder(root, "clip");
  std::vector<std::int64_t> seen;
  const auto count = visit_frames(clip_at(root.file("clip")),
                                  [&](std::int64_t index, const media::Image& frame) {
                                    EXPECT_EQ(level_of(frame), 20 * (static_cast<int>(index) + 1));
                                    EXPECT_EQ(frame.width, 10);
                                    seen.push_back(index);
                                    return Status();
                                  },
                                  {10, 10});
  ASSERT_TRUE(count.ok()) << count.error().to_string();
  EXPECT_EQ(*count, 4);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2, 3}));
  seen.clear();
  const auto stopped =
      visit_frames(clip_at(root.file("clip")), [&](std::int64_t index, const media::Image&) {
        seen.push_back(index);
        return index == 1 ? Status(make_error(ErrorCode::kLimit, "enough")) : Status();
      });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().message, "enough");
  EXPECT_EQ(seen.size(), 2U);
}

TEST(ClipFrames, WhatCannotBeIsAnError) {
  const TempFolder root;
  make_folder(root, "clip");
  fs::create_directories(root.file("bare"));
  std::ofstream(root.file("text.mp4")) << "not a video";
  const ClipEntry clip = clip_at(root.file("clip"));
  const std::vector<std::int64_t> beyond = {0, 4};
  const auto missing = read_frames(clip, beyond);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(missing.error().message.find("frame 4 of a clip of 4 frames"), std::string::npos);
  const std::vector<std::int64_t> negative = {-1};
  EXPECT_EQ(read_frames(clip, negative).error().code, ErrorCode::kInvalidArgument);
  const std::vector<std::int64_t> first = {0};
  EXPECT_EQ(read_frames(clip, first, {0, 8}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(count_frames(clip_at(root.file("gone"))).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(count_frames(clip_at("rtsp://127.0.0.1/x")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(count_frames(clip_at("-")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(count_frames(clip_at(root.file("bare"))).error().code, ErrorCode::kBadFormat);
  EXPECT_FALSE(count_frames(clip_at(root.file("text.mp4"))).ok());
}

TEST(ClipFrames, RealVideosHaveTheFramesTheyAreKnownToHave) {
  const std::string folder = std::string(MIEN_SHARED_DIR) + "/data/video/";
  if (!fs::exists(folder)) GTEST_SKIP() << "no videos beside the repository";
  EXPECT_EQ(count_frames(clip_at(folder + "single_face.mp4")).value(), 72);
  // Its first second, at 30 frames a second.
  const ClipEntry second = clip_at(folder + "single_face.mp4", 0.0, 1.0);
  EXPECT_EQ(count_frames(second).value(), 30);
  const std::vector<std::int64_t> ends = {29, 0};
  const auto frames = read_frames(second, ends, {112, 112});
  ASSERT_TRUE(frames.ok()) << frames.error().to_string();
  EXPECT_EQ((*frames)[0].width, 112);
  EXPECT_NE((*frames)[0].rgb, (*frames)[1].rgb);
}

}  // namespace
}  // namespace mien::learn::clip_frames_test
