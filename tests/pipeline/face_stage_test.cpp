#include "pipeline/face_stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "pipeline/scripted_detector.h"

namespace mien::pipeline {
namespace {

FramePtr frame(int number, double fps) {
  auto out = std::make_shared<media::Frame>();
  out->rgb = media::Image::black(8, 8);
  out->rgb.rgb[0] = static_cast<std::uint8_t>(number % 256);
  out->rgb.rgb[1] = static_cast<std::uint8_t>(number / 256);
  out->index = number;
  out->time_s = number / fps;
  return out;
}

media::FaceBox face_at(float x) {
  return {x, 40, 60, 60, 0.9F};
}

struct Seen {
  std::map<int, std::vector<std::int64_t>> frames;  // by track
  std::vector<int> ended;
  std::vector<media::FaceRow> rows;
};

Seen run(ScriptedDetector& detector, int frames, double fps, bool still = false) {
  StageClock clock;
  FaceStage stage(detector, {.interval_s = 0.1, .still = still}, clock);
  Seen seen;
  const auto take = [&](const Result<FaceRows>& rows) {
    ASSERT_TRUE(rows.ok()) << rows.error().to_string();
    for (const media::FaceRow& row : rows->rows) {
      seen.frames[row.id].push_back(row.frame);
      seen.rows.push_back(row);
    }
    seen.ended.insert(seen.ended.end(), rows->ended.begin(), rows->ended.end());
  };
  for (int i = 0; i < frames; ++i) take(stage.push(frame(i, fps)));
  take(stage.finish());
  return seen;
}

TEST(FaceStage, SearchesAboutTenTimesASecondWhileNothingChanges) {
  ScriptedDetector detector([](int n) { return std::vector{face_at(static_cast<float>(n))}; });
  const Seen seen = run(detector, 90, 30);
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(seen.frames.begin()->second.size(), 90U);  // every frame has its row
  EXPECT_EQ(seen.frames.begin()->second.front(), 0);
  EXPECT_EQ(seen.frames.begin()->second.back(), 89);
  // Frame 0, every third after it, and those few at the beginning, when the face was new.
  EXPECT_LE(detector.searched.size(), 34U);
  EXPECT_GE(detector.searched.size(), 30U);
}

TEST(FaceStage, BoxesBetweenSearchesLieOnTheWay) {
  ScriptedDetector detector(
      [](int n) { return std::vector{face_at(2.0F * static_cast<float>(n))}; });
  const Seen seen = run(detector, 60, 30);
  int interpolated = 0;
  for (const media::FaceRow& row : seen.rows) {
    if (!row.detected) ++interpolated;
    // The tracker smooths a little, so a moving face lags by a few pixels at most.
    EXPECT_NEAR(row.box.x, 2.0 * static_cast<double>(row.frame), 9.0) << row.frame;
  }
  EXPECT_GT(interpolated, 30);
}

TEST(FaceStage, TracksBeginAndEndOnTheRightFrame) {
  ScriptedDetector detector([](int n) {
    return n >= 31 && n <= 71 ? std::vector{face_at(20)} : std::vector<media::FaceBox>{};
  });
  const Seen seen = run(detector, 169, 30);
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(seen.frames.begin()->second.front(), 31);
  EXPECT_EQ(seen.frames.begin()->second.back(), 71);
  EXPECT_EQ(seen.frames.begin()->second.size(), 41U);
  EXPECT_EQ(seen.ended, std::vector<int>{seen.frames.begin()->first});
  EXPECT_LT(detector.searched.size(), 70U);
}

TEST(FaceStage, ASecondFaceDoesNotDisturbTheFirst) {
  ScriptedDetector detector([](int n) {
    std::vector<media::FaceBox> boxes = {face_at(20)};
    if (n >= 40) boxes.push_back(face_at(200));
    return boxes;
  });
  const Seen seen = run(detector, 90, 30);
  ASSERT_EQ(seen.frames.size(), 2U);
  EXPECT_EQ(seen.frames.at(1).size(), 90U);
  EXPECT_EQ(seen.frames.at(2).front(), 40);
  EXPECT_EQ(seen.frames.at(2).size(), 50U);
}

// Looks near known faces only, as the Haar detector does.
class NearDetector : public ScriptedDetector {
 public:
  using ScriptedDetector::ScriptedDetector;
  Result<std::vector<media::FaceBox>> detect(const media::ImageView& image) override {
    ++whole;
    whole_frames.insert(image.rgb[0] + 256 * image.rgb[1]);
    return ScriptedDetector::detect(image);
  }
  Result<std::vector<media::FaceBox>> detect_near(
      const media::ImageView& image, const std::vector<media::FaceBox>& known) override {
    near_frames.insert(image.rgb[0] + 256 * image.rgb[1]);
    MIEN_ASSIGN(auto boxes, ScriptedDetector::detect(image));
    std::erase_if(boxes, [&](const media::FaceBox& box) {
      return std::none_of(known.begin(), known.end(), [&](const media::FaceBox& other) {
        return media::box_iou(box, other) > 0.2F;
      });
    });
    return boxes;
  }
  bool looks_near() const override { return true; }
  int whole = 0;
  std::set<int> whole_frames;
  std::set<int> near_frames;
};

TEST(FaceStage, WhileTheFacesStayTheWholeFrameIsSearchedNowAndThen) {
  NearDetector detector([](int n) { return std::vector{face_at(static_cast<float>(n))}; });
  const Seen seen = run(detector, 300, 30);
  EXPECT_EQ(seen.rows.size(), 300U);
  EXPECT_GE(detector.whole, 33);  // every 0.3 s of 10 s
  EXPECT_LE(detector.whole, 38);
}

// Who waits for a window, which ends where faces are searched, does not wait for a whole frame.
TEST(FaceStage, WholeFramesAreSearchedBetweenTheOtherSearches) {
  NearDetector detector([](int n) { return std::vector{face_at(static_cast<float>(n))}; });
  const Seen seen = run(detector, 300, 30);
  EXPECT_EQ(seen.rows.size(), 300U);
  ASSERT_GT(detector.whole_frames.size(), 20U);
  for (const int frame : detector.whole_frames) {
    if (frame <= 6) continue;  // the face was new
    EXPECT_FALSE(detector.near_frames.contains(frame)) << frame;
  }
}

TEST(FaceStage, AFurtherFaceIsSeenWithinTheTimeBetweenWholeSearches) {
  NearDetector detector([](int n) {
    std::vector<media::FaceBox> boxes = {face_at(20)};
    if (n >= 40) boxes.push_back(face_at(200));
    return boxes;
  });
  const Seen seen = run(detector, 90, 30);
  ASSERT_EQ(seen.frames.size(), 2U);
  EXPECT_EQ(seen.frames.at(1).size(), 90U);
  EXPECT_GE(seen.frames.at(2).front(), 40);
  EXPECT_LE(seen.frames.at(2).front(), 49);
}

TEST(FaceStage, AFaceThatLeavesEndsOnTheRightFrameWithoutAWholeSearchBefore) {
  NearDetector detector([](int n) {
    std::vector<media::FaceBox> boxes = {face_at(20)};
    if (n <= 47) boxes.push_back(face_at(200));
    return boxes;
  });
  const Seen seen = run(detector, 90, 30);
  ASSERT_EQ(seen.frames.size(), 2U);
  EXPECT_EQ(seen.frames.at(1).size(), 90U);
  EXPECT_EQ(seen.frames.at(2).back(), 47);
}

TEST(FaceStage, SlowVideosAreSearchedOnEveryFrame) {
  ScriptedDetector detector([](int) { return std::vector{face_at(20)}; });
  const Seen seen = run(detector, 20, 8);
  EXPECT_EQ(detector.searched.size(), 20U);
  EXPECT_EQ(seen.rows.size(), 20U);
}

TEST(FaceStage, ASinglePictureNeedsNoConfirmation) {
  ScriptedDetector detector([](int) { return std::vector{face_at(20)}; });
  EXPECT_EQ(run(detector, 1, 25, true).rows.size(), 1U);
}

TEST(FaceStage, AFalseAlarmLeavesNothing) {
  ScriptedDetector detector(
      [](int n) { return n == 30 ? std::vector{face_at(20)} : std::vector<media::FaceBox>{}; });
  EXPECT_TRUE(run(detector, 90, 30).rows.empty());
}

TEST(FaceStage, TheDetectorsErrorNamesTheFrame) {
  ScriptedDetector detector([](int) { return std::vector<media::FaceBox>{}; });
  detector.fail_at = 3;
  StageClock clock;
  FaceStage stage(detector, {}, clock);
  Result<FaceRows> rows = FaceRows{};
  for (int i = 0; i < 4 && rows.ok(); ++i) rows = stage.push(frame(i, 30));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().context, "frame 3");
}

}  // namespace
}  // namespace mien::pipeline
