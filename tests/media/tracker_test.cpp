#include "media/tracker.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "media/assignment.h"
#include "support.h"

namespace mien::media::test {
namespace {

FaceBox at(double x, double y, double side = 80, double score = 0.9) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(side),
          static_cast<float>(side), static_cast<float>(score)};
}

TEST(AssignmentTest, TakesTheBestWholeNotTheBestFirst) {
  // Greedy would take (0,0) at 1 and be left with (1,1) at 10.
  EXPECT_EQ(assign({{1, 2}, {2, 10}}, 20), (std::vector<int>{1, 0}));
  EXPECT_EQ(assign({{1, 2}, {2, 10}}, 1.5), (std::vector<int>{0, -1}));
  EXPECT_EQ(assign({{5, 1, 7}}, 6), (std::vector<int>{1}));
  EXPECT_EQ(assign({{9}, {1}, {4}}, 6), (std::vector<int>{-1, 0, -1}));
  EXPECT_EQ(assign({{}, {}}, 6), (std::vector<int>{-1, -1}));
  EXPECT_TRUE(assign({}, 6).empty());
}

TEST(TrackerTest, TwoFacesThatCrossKeepTheirNumbers) {
  FaceTracker tracker;
  std::map<int, double> last_x;
  for (int i = 0; i < 60; ++i) {
    const double x = i * 8.0;
    const std::vector<FaceBox> boxes{at(50 + x, 100), at(530 - x, 130)};
    for (const TrackedFace& f : tracker.update(i / 30.0, boxes)) {
      if (f.id > 0) last_x[f.id] = static_cast<double>(f.box.x);
    }
  }
  ASSERT_EQ(last_x.size(), 2U);
  EXPECT_NEAR(last_x[1], 50 + 59 * 8.0, 20);   // the one that went right
  EXPECT_NEAR(last_x[2], 530 - 59 * 8.0, 20);  // the one that went left
}

TEST(TrackerTest, CrossingWithOneHiddenForAWhile) {
  FaceTracker tracker;
  std::map<int, double> last_x;
  for (int i = 0; i < 60; ++i) {
    const double a = 50 + i * 8.0;
    const double b = 530 - i * 8.0;
    std::vector<FaceBox> boxes{at(a, 100)};
    if (std::abs(a - b) > 60) boxes.push_back(at(b, 110));  // the face behind is not seen
    for (const TrackedFace& f : tracker.update(i / 30.0, boxes)) {
      if (f.id > 0) last_x[f.id] = static_cast<double>(f.box.x);
    }
  }
  ASSERT_EQ(last_x.size(), 2U);
  EXPECT_NEAR(last_x[1], 50 + 59 * 8.0, 20);
  EXPECT_NEAR(last_x[2], 530 - 59 * 8.0, 20);
}

TEST(TrackerTest, ALossOf300MillisecondsIsBridgedByTimeNotByFrames) {
  for (const double fps : {10.0, 30.0, 120.0}) {
    FaceTracker tracker;
    TrackResolver resolver;
    std::set<int> ids;
    std::vector<FaceRow> rows;
    const int frames = static_cast<int>(2 * fps);
    for (int i = 0; i < frames; ++i) {
      const double t = i / fps;
      std::vector<FaceBox> boxes;
      if (t < 0.8 || t > 1.1) boxes.push_back(at(100 + 60 * t, 100));
      const auto faces = tracker.update(t, boxes);
      for (FaceRow& r : resolver.push(i, t, faces, tracker.take_ended())) {
        ids.insert(r.id);
        rows.push_back(r);
      }
    }
    EXPECT_EQ(ids, (std::set<int>{1})) << fps;
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(frames)) << fps;  // the gap is filled
    for (const FaceRow& r : rows)
      EXPECT_NEAR(static_cast<double>(r.box.x), 100 + 60 * r.time_s, 4) << fps;
  }
}

TEST(TrackerTest, ALossOfASecondEndsTheTrackAtItsLastDetection) {
  FaceTracker tracker;
  TrackResolver resolver;
  std::vector<EndedTrack> ended;
  std::map<int, int> rows;
  for (int i = 0; i < 90; ++i) {
    std::vector<FaceBox> boxes;
    if (i < 30 || i >= 60) boxes.push_back(at(100, 100));
    const auto faces = tracker.update(i / 30.0, boxes);
    const auto over = tracker.take_ended();
    ended.insert(ended.end(), over.begin(), over.end());
    for (const FaceRow& r : resolver.push(i, i / 30.0, faces, over)) ++rows[r.id];
  }
  tracker.finish();
  const auto over = tracker.take_ended();
  ended.insert(ended.end(), over.begin(), over.end());
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].id, 1);
  EXPECT_NEAR(ended[0].last_s, 29 / 30.0, 1e-9);
  EXPECT_EQ(ended[1].id, 2);
  EXPECT_NEAR(ended[1].first_s, 2.0, 1e-9);
  EXPECT_EQ(rows[1], 30);
  EXPECT_EQ(rows[2], 30);
}

TEST(TrackerTest, FalseAlarmsAreNoTracks) {
  FaceTracker tracker;
  TrackResolver resolver;
  std::size_t rows = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<FaceBox> boxes;
    if (i % 7 == 0) boxes.push_back(at(40 + i % 5 * 90, 60));
    if (i % 31 < 2) boxes.push_back(at(300, 200));  // two frames in a row, now and then
    const auto faces = tracker.update(i / 30.0, boxes);
    for (const TrackedFace& f : faces) EXPECT_EQ(f.id, -1);
    rows += resolver.push(i, i / 30.0, faces, tracker.take_ended()).size();
  }
  EXPECT_EQ(rows, 0U);
}

TEST(TrackerTest, WeakDetectionsContinueButDoNotBegin) {
  TrackerOptions options;
  options.start_score = 0.7F;
  FaceTracker tracker(options);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(tracker.update(i / 30.0, std::vector<FaceBox>{at(9, 9, 50, 0.6)}).empty());
  }
  for (int i = 10; i < 40; ++i) {
    const double score = i < 20 ? 0.9 : 0.55;
    const auto faces = tracker.update(i / 30.0, std::vector<FaceBox>{at(9, 9, 50, score)});
    ASSERT_EQ(faces.size(), 1U);
    EXPECT_TRUE(faces[0].detected);
  }
}

TEST(TrackerTest, TheDetectorMayRunOnEveryFourthFrameOnly) {
  FaceTracker tracker;
  TrackResolver resolver;
  std::vector<FaceRow> rows;
  for (int i = 0; i < 61; ++i) {
    const double t = i / 30.0;
    const std::vector<FaceBox> boxes{at(100 + 120 * t, 80)};
    const auto faces = i % 4 == 0 ? tracker.update(t, boxes) : tracker.predict(t);
    if (i > 20) {
      ASSERT_EQ(faces.size(), 1U);
      EXPECT_EQ(faces[0].id, 1);
      EXPECT_NEAR(static_cast<double>(faces[0].box.x), 100 + 120 * t, 8);
    }
    for (FaceRow& r : resolver.push(i, t, faces, tracker.take_ended())) rows.push_back(r);
  }
  ASSERT_EQ(rows.size(), 61U);
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].frame, static_cast<std::int64_t>(i));
}

TEST(TrackerTest, BoxesAreSteadierThanTheDetector) {
  FaceTracker tracker;
  double raw = 0;
  double smooth = 0;
  float before = 100;
  float before_raw = 100;
  unsigned state = 7;
  for (int i = 0; i < 200; ++i) {
    state = state * 1664525U + 1013904223U;
    const double noise = static_cast<double>(state >> 16) / 65536.0 * 8 - 4;
    const FaceBox box = at(100 + noise, 100);
    const auto faces = tracker.update(i / 30.0, std::vector<FaceBox>{box});
    if (i > 10) {
      raw += static_cast<double>(std::abs(box.x - before_raw));
      smooth += static_cast<double>(std::abs(faces[0].box.x - before));
    }
    before = faces[0].box.x;
    before_raw = box.x;
  }
  EXPECT_LT(smooth, 0.7 * raw);
}

TEST(TrackerTest, SeveralFacesAndHostileBoxes) {
  FaceTracker tracker;
  std::set<int> ids;
  for (int i = 0; i < 30; ++i) {
    std::vector<FaceBox> boxes;
    for (int f = 0; f < 12; ++f) boxes.push_back(at(20 + 100 * (f % 6), 30 + 150 * (f / 6), 60));
    if (i % 2 == 1) std::reverse(boxes.begin(), boxes.end());
    for (const TrackedFace& t : tracker.update(i / 25.0, boxes)) ids.insert(t.id);
  }
  ids.erase(-1);
  EXPECT_EQ(ids.size(), 12U);
  std::vector<FaceBox> wild(5000, at(1, 1, 5));
  wild[0].w = std::nanf("");
  EXPECT_LE(tracker.update(std::nan(""), wild).size(), 64U);
}

}  // namespace
}  // namespace mien::media::test
