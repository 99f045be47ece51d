// All stages on frames that a script says show a face.
#include "pipeline/stages.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "pipeline/random_models.h"
#include "pipeline/scripted_detector.h"
#include "pipeline/test_videos.h"

namespace mien::pipeline {
namespace {

constexpr double kFps = 30;

struct Counts : public RowSink {
  Status found(const FaceObservation& face) override {
    EXPECT_NE(face.track, lost_last) << "nothing comes after it was lost";
    ++found_rows;
    return {};
  }
  Status face(const FaceObservation&) override {
    ++faces;
    return {};
  }
  Status window(const WindowRow& row) override {
    windows.push_back(row.window);
    return {};
  }
  Status lost(int track) override {
    ++lost_tracks;
    lost_last = track;
    return {};
  }
  Status settled(const FramePtr& frame) override {
    settled_frames.push_back(frame->index);
    return {};
  }

  int found_rows = 0;
  int faces = 0;
  int lost_tracks = 0;
  int lost_last = 0;
  std::vector<ExpressionWindow> windows;
  std::vector<std::int64_t> settled_frames;
};

class StagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("stages_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    const std::string model = (folder_ / "model.safetensors").string();
    const std::string landmark = (folder_ / "landmark.safetensors").string();
    ASSERT_TRUE(testing::write_random_recognizer(model).ok());
    ASSERT_TRUE(testing::write_random_landmark_net(landmark).ok());
    auto recognizer = Recognizer::load(model, {Precision::kF32, 1});
    auto locator = LandmarkLocator::load(landmark, {Precision::kF32, 1});
    ASSERT_TRUE(recognizer.ok() && locator.ok());
    recognizer_.emplace(std::move(*recognizer));
    locator_.emplace(std::move(*locator));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Stages> stages(ScriptedDetector::Script script, RowSink& sink) {
    auto made =
        Stages::create({options_, *recognizer_, *locator_, 16},
                       std::make_unique<ScriptedDetector>(std::move(script)), false, sink, clocks_);
    EXPECT_TRUE(made.ok()) << made.error().to_string();
    return made.ok() ? std::move(*made) : nullptr;
  }

  // A frame that is counted for as long as somebody holds it.
  FramePtr frame(int number) {
    auto* made = new media::Frame;
    made->rgb = testing::plain_picture(64, 64, 0);
    made->rgb.rgb[0] = static_cast<std::uint8_t>(number % 256);
    made->rgb.rgb[1] = static_cast<std::uint8_t>(number / 256);
    made->index = number;
    made->time_s = number / kFps;
    ++held_;
    return {made, [this](const media::Frame* old) {
              --held_;
              delete old;
            }};
  }

  std::filesystem::path folder_;
  std::optional<Recognizer> recognizer_;
  std::optional<LandmarkLocator> locator_;
  AnalyzerOptions options_;
  Clocks clocks_;
  int held_ = 0;
};

// A face that is there for three seconds of every four.
std::vector<media::FaceBox> now_and_then(int number) {
  if (number % 120 >= 90) return {};
  return {{8, 8, 44, 44, 0.9F}};
}

TEST_F(StagesTest, AStreamWithoutEndHoldsNoMoreFramesThanAShortOne) {
  Counts counts;
  const auto all = stages(now_and_then, counts);
  ASSERT_TRUE(all != nullptr);
  int most_early = 0;
  int most_late = 0;
  constexpr int kFrames = 600;
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(all->push(frame(i)).ok());
    int& most = i < kFrames / 4 ? most_early : most_late;
    most = std::max(most, held_);
  }
  EXPECT_EQ(counts.lost_tracks, 5);
  EXPECT_GT(counts.windows.size(), 80U);
  // 0.6 s of frames, those that wait for the next search, and the newest.
  EXPECT_LE(most_late, 24);
  EXPECT_LE(most_late, most_early + 1);
  ASSERT_TRUE(all->finish().ok());
  EXPECT_EQ(held_, 0);
  EXPECT_EQ(counts.found_rows, counts.faces);
  EXPECT_EQ(counts.settled_frames.size(), static_cast<std::size_t>(kFrames));
  EXPECT_TRUE(std::is_sorted(counts.settled_frames.begin(), counts.settled_frames.end()));
}

TEST_F(StagesTest, FramesMayBeMissing) {
  Counts whole;
  Counts gappy;
  const auto face = [](int) { return std::vector<media::FaceBox>{{8, 8, 44, 44, 0.9F}}; };
  const auto a = stages(face, whole);
  const auto b = stages(face, gappy);
  ASSERT_TRUE(a != nullptr && b != nullptr);
  for (int i = 0; i < 90; ++i) {
    ASSERT_TRUE(a->push(frame(i)).ok());
    if (i % 3 == 1 || i == 44) continue;  // what a slow machine drops
    ASSERT_TRUE(b->push(frame(i)).ok());
  }
  ASSERT_TRUE(a->finish().ok());
  ASSERT_TRUE(b->finish().ok());
  EXPECT_EQ(whole.faces, 90);
  EXPECT_EQ(gappy.faces, 59);
  // Samples are chosen by time: as many windows, but for one at the end.
  ASSERT_GE(whole.windows.size(), 15U);
  EXPECT_GE(gappy.windows.size() + 1, whole.windows.size());
  for (std::size_t i = 0; i < gappy.windows.size(); ++i) {
    EXPECT_NEAR(gappy.windows[i].start_s, whole.windows[i].start_s, 1e-9);
    EXPECT_NEAR(static_cast<double>(gappy.windows[i].x), 8, 0.5);
  }
}

}  // namespace
}  // namespace mien::pipeline
