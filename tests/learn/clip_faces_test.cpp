// Clips of whole people, cut to their faces: drawn small in wide frames, where the truth is known.
#include "learn/data/clip_faces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/labels.h"
#include "core/temp_folder.h"
#include "learn/data/clip_cache_writer.h"
#include "learn/data/clip_data.h"
#include "learn/data/clip_frames.h"
#include "learn/train_config.h"
#include "media/face_drawing.h"
#include "media/face_surface.h"

namespace mien::learn::clip_faces_test {
namespace {

namespace fs = std::filesystem;
using media::FaceBox;
using mien::testing::TempFolder;

constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr int kFrames = 12;
constexpr int kSide = 64;

bool has_haar() {
  return media::make_haar_detector().ok();
}

// Right of the middle, a sixth of the frame wide, swaying by a few pixels.
media::HeadPose pose_at(int t) {
  media::HeadPose pose;
  pose.scale = 44;
  pose.x = 430 + 6 * std::sin(0.9 * t);
  pose.y = 170 + 3 * std::cos(0.7 * t);
  pose.yaw = 4 * std::sin(0.5 * t);
  return pose;
}

ClipEntry entry_of(const TempFolder& folder, const std::string& name) {
  ClipEntry entry;
  entry.id = name;
  entry.path = folder.file(name);
  entry.label = 0;
  fs::create_directories(entry.path);
  return entry;
}

std::string frame_name(const ClipEntry& entry, int t) {
  return entry.path + "/" + (t < 10 ? "0" : "") + std::to_string(t) + ".png";
}

media::Image draw_frame(int t) {
  media::Scene scene;
  scene.blobs = 0;
  const auto artist = media::FaceArtist::create({}, scene, kWidth, kHeight, 44);
  return artist.value().draw({}, pose_at(t), static_cast<std::uint64_t>(t)).value();
}

// A clip of the drawn face.
ClipEntry write_face(const TempFolder& folder, const std::string& name) {
  const ClipEntry entry = entry_of(folder, name);
  for (int t = 0; t < kFrames; ++t) {
    EXPECT_TRUE(media::write_png(frame_name(entry, t), draw_frame(t)).ok());
  }
  return entry;
}

// A clip of an empty wall.
ClipEntry write_wall(const TempFolder& folder, const std::string& name) {
  const ClipEntry entry = entry_of(folder, name);
  media::Image wall = media::Image::black(kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      std::fill_n(wall.row(y) + 3 * x, 3, static_cast<std::uint8_t>(80 + x / 10 + y / 12));
    }
  }
  for (int t = 0; t < kFrames; ++t) {
    EXPECT_TRUE(media::write_png(frame_name(entry, t), wall).ok());
  }
  return entry;
}

ClipCacheOptions face_options() {
  ClipCacheOptions options;
  options.side = kSide;
  options.storage = ClipStorage::kRaw;
  options.face_detector = "haar";
  return options;
}

// How the face of frame t lies in the square: its 68 points, by their true places.
void expect_filled(const FrameSquare& square, int t) {
  const auto xy = media::face_landmarks({}, {}, pose_at(t)).xy;
  double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
  int inside = 0;
  for (std::size_t i = 0; i < xy.size(); i += 2) {
    const double x = (static_cast<double>(xy[i]) - square.left) / square.side;
    const double y = (static_cast<double>(xy[i + 1]) - square.top) / square.side;
    left = std::min(left, x), right = std::max(right, x);
    top = std::min(top, y), bottom = std::max(bottom, y);
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) ++inside;
  }
  EXPECT_GE(inside, 64) << t;
  const double extent = std::max(right - left, bottom - top);
  EXPECT_GT(extent, 0.5) << t;
  EXPECT_LT(extent, 1.05) << t;
  EXPECT_NEAR((left + right) / 2, 0.5, 0.2) << t;
  EXPECT_NEAR((top + bottom) / 2, 0.5, 0.25) << t;
}

TEST(ClipFaces, ASmallFaceFillsEveryFrame) {
  if (!has_haar()) GTEST_SKIP() << "no Haar cascade on this machine";
  const TempFolder folder;
  ClipList list;
  list.classes = {"neutral"};
  list.clips = {write_face(folder, "face")};
  const auto finder = FaceFinder::create("haar").value();
  const FrameSquare square = finder->find(list.clips[0], kFrames).value();
  for (int t = 0; t < kFrames; ++t) expect_filled(square, t);
  ASSERT_TRUE(square.left >= 0 && square.top >= 0 && square.left + square.side <= kWidth &&
              square.top + square.side <= kHeight);
  ASSERT_TRUE(write_clip_cache(folder.file("a.clips"), list, face_options()).ok());
  const auto cache = ClipCache::open(folder.file("a.clips")).value();
  ASSERT_EQ(cache->frame_count(0), kFrames);
  for (const int t : {0, 5, kFrames - 1}) {  // the same square of every frame
    const media::Image frame = draw_frame(t);
    const auto part = media::sub_view(frame, square.left, square.top, square.side, square.side);
    EXPECT_EQ(cache->frames(0, std::vector<std::int64_t>{t}).value(),
              media::resize_bilinear(part, kSide, kSide).value().rgb)
        << t;
  }
}

TEST(ClipFaces, FramesWithoutAFaceDoNotCount) {
  if (!has_haar()) GTEST_SKIP() << "no Haar cascade on this machine";
  const TempFolder folder;
  const ClipEntry clip = write_face(folder, "face");
  const media::Image wall = media::Image::black(kWidth, kHeight);
  for (const int t : {0, 1, 2, 3}) {  // the light goes on
    ASSERT_TRUE(media::write_png(frame_name(clip, t), wall).ok());
  }
  const auto finder = FaceFinder::create("haar").value();
  expect_filled(finder->find(clip, kFrames).value(), 6);
  EXPECT_FALSE(finder->find(clip, 3).ok());  // nothing but the dark frames
}

TEST(ClipFaces, ClipsWithoutAFaceAreListed) {
  if (!has_haar()) GTEST_SKIP() << "no Haar cascade on this machine";
  const TempFolder folder;
  ClipList list;
  list.classes = {"neutral"};
  list.clips = {write_wall(folder, "wall"), write_face(folder, "face")};
  ClipCacheOptions options = face_options();
  const std::string path = folder.file("a.clips");
  for (int run = 0; run < 2; ++run) {  // the second finds them in the file
    const auto opened = open_clip_cache(path, list, options).value();
    EXPECT_EQ(opened.built_because.empty(), run == 1);
    ASSERT_EQ(opened.cache->size(), 1U);
    EXPECT_EQ(opened.cache->id(0), "face");
    ASSERT_EQ(opened.cache->problems().size(), 1U);
    EXPECT_EQ(opened.cache->problems()[0].id, "wall");
    EXPECT_EQ(opened.cache->problems()[0].path, list.clips[0].path);
    EXPECT_EQ(opened.cache->problems()[0].reason, "no face was found");
  }
  options.strict = true;
  fs::remove(path);
  const Status strict = write_clip_cache(path, list, options);
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().message, "no face was found");
  EXPECT_NE(strict.error().context.find("wall"), std::string::npos);
  options.strict = false;
  list.clips.pop_back();
  const Status nothing = write_clip_cache(path, list, options);
  ASSERT_FALSE(nothing.ok());
  EXPECT_NE(nothing.error().message.find("no face was found"), std::string::npos);
  EXPECT_EQ(folder.count(), 2U);  // the clips: no file is left behind
}

TEST(ClipFaces, TheChoiceIsPartOfTheFingerprint) {
  const TempFolder folder;
  ClipList list;
  list.classes = {"neutral"};
  list.clips = {entry_of(folder, "clip")};
  ClipCacheOptions options = face_options();
  const std::uint64_t haar = clip_fingerprint(list, options);
  EXPECT_EQ(clip_fingerprint(list, options), haar);
  options.face_detector = "";
  const std::uint64_t whole = clip_fingerprint(list, options);
  EXPECT_NE(whole, haar);
  list.clips[0].face = {3, -4, 20};
  EXPECT_NE(clip_fingerprint(list, options), whole);
  list.clips[0].face = {};
  options.face_detector = folder.file("net.onnx");
  const std::uint64_t absent = clip_fingerprint(list, options);
  EXPECT_NE(absent, haar);
  std::ofstream(options.face_detector) << "a network";
  const std::uint64_t net = clip_fingerprint(list, options);
  EXPECT_NE(net, absent);
  std::ofstream(options.face_detector) << "another network";
  EXPECT_NE(clip_fingerprint(list, options), net);
}

TEST(ClipFaces, ADetectorThatIsNotThereStopsTheRun) {
  const TempFolder folder;
  ClipList list;
  list.classes = {"neutral"};
  list.clips = {write_wall(folder, "wall")};
  EXPECT_EQ(FaceFinder::create("").error().code, ErrorCode::kInvalidArgument);
  ClipCacheOptions options = face_options();
  options.face_detector = folder.file("missing.onnx");
  EXPECT_EQ(write_clip_cache(folder.file("a.clips"), list, options).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(folder.count(), 1U);
}

TEST(ClipFaces, TheMainFaceIsLargeAndCentral) {
  const auto main_of = [](const std::vector<FaceBox>& boxes) {
    return main_face(boxes, kWidth, kHeight, 0.5F);
  };
  const FaceBox person{270, 120, 100, 110, 0.9F};
  const FaceBox behind{100, 100, 40, 44, 0.99F};
  EXPECT_EQ(main_of({behind, person})->x, person.x);
  EXPECT_EQ(main_of({person, behind})->x, person.x);
  // Something in a corner must be much larger.
  EXPECT_EQ(main_of({{0, 0, 120, 120, 0.9F}, person})->x, person.x);
  EXPECT_EQ(main_of({{0, 0, 250, 250, 0.9F}, person})->x, 0.0F);
  // A doubtful box, a little larger.
  EXPECT_EQ(main_of({{280, 200, 130, 130, 0.6F}, person})->x, person.x);
  EXPECT_FALSE(main_of({{270, 120, 100, 110, 0.4F}}));  // too doubtful
  EXPECT_FALSE(main_of({{-90, 120, 100, 110, 0.9F}}));  // most of it outside
  EXPECT_FALSE(main_of({{NAN, 120, 100, 110, 0.9F}}));
  EXPECT_FALSE(main_of({}));
}

TEST(ClipFaces, TheSquareIsThatOfMostFrames) {
  const std::vector<FaceBox> still(3, FaceBox{100, 50, 60, 60, 0.9F});
  const FrameSquare square = face_square(still, kWidth);
  EXPECT_EQ(square.side, 78);  // 1.3 x 60
  EXPECT_EQ(square.left, 130 - 39);
  EXPECT_EQ(square.top, 83 - 39);  // 0.05 x 60 lower
  // A head that moves, and another one on some frames.
  std::vector<FaceBox> moving;
  for (const int x : {400, 100, 108, 402, 104, 106, 404, 102}) {
    moving.push_back({static_cast<float>(x), 50, 60, 60, 0.9F});
  }
  EXPECT_EQ(face_square(moving, kWidth).left, 134 - 39);
  EXPECT_EQ(face_square(moving, kWidth).side, 78);
  // The longer side of the box counts.
  const std::vector<FaceBox> high = {{10, 10, 40, 50, 0.9F}};
  EXPECT_EQ(face_square(high, kWidth).side, 65);
  // At the border the square reaches over it, with the face in its middle.
  const std::vector<FaceBox> corner = {{0, 0, 60, 60, 0.9F}};
  EXPECT_EQ(face_square(corner, kWidth).left, -9);
  // What a network may say.
  const std::vector<FaceBox> huge = {{-1e30F, -1e30F, 2e30F, 2e30F, 0.9F}};
  EXPECT_EQ(face_square(huge, kWidth).side, kWidth);
}

TEST(ClipFaces, RawDataSetsAreCutUnlessToldOtherwise) {
  for (const char* raw : {"ravdess", "crema-d"}) EXPECT_TRUE(cuts_to_faces("auto", raw).value());
  for (const char* cut :
       {"dfew", "dfew-original", "ferv39k", "mafw", "mae-dfer-dfew", "manifest"}) {
    EXPECT_FALSE(cuts_to_faces("auto", cut).value()) << cut;
    EXPECT_TRUE(cuts_to_faces("detect", cut).value()) << cut;
  }
  EXPECT_FALSE(cuts_to_faces("whole", "ravdess").value());
  EXPECT_EQ(cuts_to_faces("some", "ravdess").error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(make_face_finder("auto", "dfew", "haar").value() == nullptr);
  EXPECT_FALSE(make_face_finder("detect", "dfew", "").ok());
}

TEST(ClipFaces, ConfigsSayIt) {
  const TempFolder folder;
  const std::string path = folder.file("run.toml");
  std::ofstream(path) << "[model]\npreset = \"s2d-tiny\"\nclasses = \"ravdess\"\n"
                         "[[data.train]]\npath = \"x\"\nformat = \"ravdess\"\n"
                         "[train]\ntask = \"video\"\n";
  const auto plain = read_train_config(path, {});
  ASSERT_TRUE(plain.ok()) << plain.error().to_string();
  EXPECT_EQ(plain->video.faces, "auto");
  EXPECT_EQ(plain->video.detector, "haar");
  const auto set = read_train_config(path, {"video.faces=whole", "video.detector=net.onnx"});
  ASSERT_TRUE(set.ok()) << set.error().to_string();
  EXPECT_EQ(set->video.faces, "whole");
  EXPECT_EQ(set->video.detector, "net.onnx");
  const auto wrong = read_train_config(path, {"video.faces=sometimes"});
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("video.faces"), std::string::npos);
  EXPECT_FALSE(read_train_config(path, {"video.detector=\"\""}).ok());
}

// From the names of the files to the name of the cache.
TEST(ClipFaces, RavdessIsCutByDefault) {
  if (!has_haar()) GTEST_SKIP() << "no Haar cascade on this machine";
  const TempFolder folder;
  write_face(folder, "data/Actor_02/02-01-03-01-01-01-02");
  write_wall(folder, "data/Actor_02/02-01-04-01-01-01-02");
  ClipData data;
  data.source.path = folder.file("data");
  data.source.format = "auto";
  data.source.split = "all";
  VideoConfig video;
  video.cache = folder.file("cache");
  video.storage = "raw";
  ClipDataOptions options;
  options.classes = core::find_label_set("ravdess").value().classes;
  options.side = kSide;
  std::string said;
  const auto clips_of = [&](const std::string& faces) {
    said.clear();
    video.faces = faces;
    const auto store = open_clip_data({data}, video, options,
                                      [&](const std::string& text) { said += text + "\n"; });
    EXPECT_TRUE(store.ok()) << store.error().to_string();
    return store.ok() ? (*store)->size() : 0U;
  };
  EXPECT_EQ(clips_of("auto"), 1U);
  EXPECT_NE(said.find("no face was found"), std::string::npos);
  EXPECT_NE(said.find("cut to the faces that haar finds"), std::string::npos);
  const fs::path cut = folder.file("cache/data_auto_all_1_64_raw_faces-haar.clips");
  ASSERT_TRUE(fs::exists(cut));
  const auto made = fs::last_write_time(cut);
  EXPECT_EQ(clips_of("whole"), 2U);
  EXPECT_TRUE(fs::exists(folder.file("cache/data_auto_all_1_64_raw.clips")));
  EXPECT_EQ(clips_of("detect"), 1U);  // the first one is still good
  EXPECT_EQ(fs::last_write_time(cut), made);
  video.strict = true;
  video.faces = "auto";
  EXPECT_FALSE(open_clip_data({data}, video, options, [](const std::string&) {}).ok());
}

}  // namespace
}  // namespace mien::learn::clip_faces_test
