#include "media/face_detector.h"

#include <cmath>
#include <set>

#include "media/onnx_peek.h"
#include "media/tracker.h"
#include "support.h"

namespace mien::media::test {
namespace {

struct Followed {
  int frames = 0;
  int with_face = 0;               // frames on which the detector itself found one
  std::vector<int> rows_of_frame;  // faces per frame after tracking
  std::set<int> ids;
};

// Detector on every `step`-th frame, tracker, resolver.
Followed follow(FaceDetector& detector, const std::string& video, int step = 1) {
  Followed out;
  auto source = open_source(video);
  EXPECT_TRUE(source.ok());
  if (!source.ok()) return out;
  TrackerOptions options;
  options.start_score = detector.track_threshold();
  FaceTracker tracker(options);
  TrackResolver resolver;
  out.rows_of_frame.resize(1000);
  for (;; ++out.frames) {
    const Result<std::optional<Frame>> frame = (*source)->next();
    EXPECT_TRUE(frame.ok());
    if (!frame.ok() || !*frame) return out;
    const Frame& f = **frame;
    std::vector<TrackedFace> faces;
    if (f.index % step == 0) {
      const Result<std::vector<FaceBox>> boxes = detector.detect(f.rgb);
      EXPECT_TRUE(boxes.ok());
      if (!boxes.ok()) return out;
      if (!boxes->empty()) ++out.with_face;
      faces = tracker.update(f.time_s, *boxes);
    } else {
      faces = tracker.predict(f.time_s);
    }
    for (const FaceRow& row : resolver.push(f.index, f.time_s, faces, tracker.take_ended())) {
      ++out.rows_of_frame[row.frame];
      out.ids.insert(row.id);
    }
  }
}

class FaceVideoTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!fs::exists(shared("data/video"))) GTEST_SKIP() << "no shared/data here";
    const std::string spec = GetParam() == "haar" ? "haar" : shared("models/" + GetParam());
    auto made = make_detector(spec);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    detector_ = std::move(*made);
  }
  std::unique_ptr<FaceDetector> detector_;
};

TEST_P(FaceVideoTest, FindsTheOneFaceOnEveryFrame) {
  const Followed run = follow(*detector_, shared("data/video/single_face.mp4"));
  EXPECT_EQ(run.frames, 72);
  EXPECT_GE(run.with_face, 69);  // 95 %
  EXPECT_EQ(run.ids, (std::set<int>{1}));
  int rows = 0;
  for (const int n : run.rows_of_frame) rows += n;
  EXPECT_GE(rows, 69);
  EXPECT_LE(rows, 72);
}

TEST_P(FaceVideoTest, InventsNoneOnACartoon) {
  const Followed run = follow(*detector_, shared("data/video/no_face.mp4"));
  EXPECT_EQ(run.frames, 95);
  EXPECT_TRUE(run.ids.empty());
}

TEST_P(FaceVideoTest, TheTrackEndsWithTheFace) {
  const Followed run = follow(*detector_, shared("data/video/face_noface.mov"), 2);
  EXPECT_EQ(run.frames, 169);
  EXPECT_EQ(run.ids, (std::set<int>{1}));
  for (int i = 2; i <= 69; ++i) EXPECT_EQ(run.rows_of_frame[i], 1) << i;
  for (int i = 72; i < 169; ++i) EXPECT_EQ(run.rows_of_frame[i], 0) << i;
}

TEST_P(FaceVideoTest, LookingNearAFaceFindsWhatLookingEverywhereFinds) {
  auto source = open_source(shared("data/video/single_face.mp4"));
  ASSERT_TRUE(source.ok());
  std::vector<FaceBox> known;
  int agree = 0;
  for (int i = 0; i < 72; ++i) {
    const Result<std::optional<Frame>> frame = (*source)->next();
    ASSERT_TRUE(frame.ok() && *frame);
    const auto everywhere = detector_->detect((**frame).rgb);
    ASSERT_TRUE(everywhere.ok());
    if (!known.empty()) {
      const auto near = detector_->detect_near((**frame).rgb, known);
      ASSERT_TRUE(near.ok());
      if (near->size() == everywhere->size() &&
          (near->empty() || box_iou(near->front(), everywhere->front()) > 0.7F)) {
        ++agree;
      }
    }
    known = *everywhere;
  }
  EXPECT_GE(agree, 68);  // of 71
}

INSTANTIATE_TEST_SUITE_P(Detectors, FaceVideoTest,
                         ::testing::Values("haar", "version-RFB-320.onnx"),
                         [](const auto& p) { return p.param == "haar" ? "haar" : "rfb"; });

class DetectorFileTest : public ScratchTest {};

TEST_F(DetectorFileTest, FilesThatAreNoDetectorsAreRefused) {
  EXPECT_EQ(make_detector(path("none.onnx")).error().code, ErrorCode::kNotFound);
  write_bytes(path("zero.onnx"), {});
  EXPECT_EQ(make_detector(path("zero.onnx")).error().code, ErrorCode::kBadFormat);
  const std::string text(3000, 'z');
  write_bytes(path("text.onnx"), {text.begin(), text.end()});
  const auto refused = make_detector(path("text.onnx"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadFormat);
  EXPECT_NE(refused.error().to_string().find("text.onnx"), std::string::npos);
  write_bytes(path("text.xml"), {text.begin(), text.end()});
  EXPECT_EQ(make_detector(path("text.xml")).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(make_detector(path("none.xml")).error().code, ErrorCode::kNotFound);
}

TEST_F(DetectorFileTest, OtherAndDamagedNetworksAreRefused) {
  const std::string model = shared("models/version-RFB-320.onnx");
  if (!fs::exists(model)) GTEST_SKIP() << "no shared/models here";
  EXPECT_EQ(make_detector(shared("models/pfld.onnx")).error().code, ErrorCode::kUnsupported);
  cut_file(model, path("half.onnx"), 0.5);
  EXPECT_EQ(make_detector(path("half.onnx")).error().code, ErrorCode::kBadFormat);
  // Damage that keeps the outer message intact must still be an error or a working detector, never
  // a crash.
  const std::vector<char> good = read_bytes(model);
  unsigned state = 99;
  for (int round = 0; round < 12; ++round) {
    std::vector<char> bytes = good;
    for (int i = 0; i < 40; ++i) {
      state = state * 1664525U + 1013904223U;
      bytes[bytes.size() - 1 - (state >> 8) % 60000] ^= static_cast<char>(1 + (state & 0x7F));
    }
    write_bytes(path("bad.onnx"), bytes);
    auto made = make_detector(path("bad.onnx"));
    if (made.ok()) (void)(*made)->detect(pattern(320, 240));
  }
}

TEST(OnnxPeekTest, TellsInputsAndOutputs) {
  const std::string model = shared("models/version-RFB-320.onnx");
  if (!fs::exists(model)) GTEST_SKIP() << "no shared/models here";
  const std::vector<char> bytes = read_bytes(model);
  const Result<OnnxSummary> net =
      peek_onnx({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  ASSERT_TRUE(net.ok());
  ASSERT_EQ(net->inputs.size(), 1U);
  EXPECT_EQ(net->inputs[0].dims, (std::vector<std::int64_t>{1, 3, 240, 320}));
  ASSERT_EQ(net->outputs.size(), 2U);
  EXPECT_EQ(net->outputs[0].name, "scores");
}

TEST(BoxesTest, OverlapsAreSuppressed) {
  const std::vector<FaceBox> boxes{{0, 0, 100, 100, 0.8F},      {5, 5, 100, 100, 0.9F},
                                   {30, 30, 40, 40, 0.95F},     {300, 0, 50, 50, 0.5F},
                                   {0, 0, std::nanf(""), 5, 1}, {0, 0, -5, 5, 1}};
  const std::vector<FaceBox> kept = suppress_overlaps(boxes, 0.3F);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].score, 0.95F);
  EXPECT_EQ(kept[1].x, 300);
  EXPECT_NEAR(box_iou({0, 0, 10, 10, 1}, {5, 0, 10, 10, 1}), 1.0F / 3, 1e-6F);
  EXPECT_EQ(box_iou({0, 0, 10, 10, 1}, {50, 0, 10, 10, 1}), 0);
}

TEST(HaarTest, AnyFrameSizeIsTaken) {
  auto haar = make_haar_detector();
  if (!haar.ok()) GTEST_SKIP() << haar.error().to_string();
  for (const auto& [w, h] : {std::pair{1, 1}, {8, 900}, {900, 8}, {33, 47}}) {
    EXPECT_TRUE((*haar)->detect(pattern(w, h)).ok());
    for (const FaceBox& box : {FaceBox{0, 0, 30, 30, 1},
                               {-500, 20, 60, 60, 1},
                               {0, 0, 1, 1, 1},
                               {2, 2, 5000, 9000, 1}}) {
      EXPECT_TRUE((*haar)->detect_near(pattern(w, h), {box}).ok());
    }
  }
  EXPECT_EQ((*haar)->detect(Image{}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace mien::media::test
