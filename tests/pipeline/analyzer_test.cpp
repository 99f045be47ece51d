#include "mien/analyzer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "pipeline/random_models.h"
#include "pipeline/test_videos.h"

namespace mien {
namespace {

namespace fs = std::filesystem;

class AnalyzerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::path(::testing::TempDir()) / ("analyzer_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    ASSERT_TRUE(testing::write_random_recognizer(path("image.safetensors")).ok());
    testing::RandomModel video;
    video.temporal = true;
    ASSERT_TRUE(testing::write_random_recognizer(path("video.safetensors"), video).ok());
    ASSERT_TRUE(testing::write_random_adatosk(path("masked.safetensors")).ok());
    ASSERT_TRUE(testing::write_random_landmark_net(path("landmark.safetensors")).ok());
    ASSERT_TRUE(testing::write_plain_video(path("plain.mp4"), 40, 25).ok());
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static std::string path(const std::string& name) { return (folder_ / name).string(); }
  static std::string shared(const std::string& name) {
    return std::string(MIEN_SHARED_DIR) + "/data/video/" + name;
  }
  static AnalyzerOptions options(const std::string& model = "image.safetensors") {
    AnalyzerOptions out;
    out.model = path(model);
    out.landmark = path("landmark.safetensors");
    out.precision = Precision::kF32;
    out.threads = 1;
    return out;
  }

  static fs::path folder_;
};

fs::path AnalyzerTest::folder_;

TEST_F(AnalyzerTest, NoFaceIsNoErrorButSaid) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok()) << analyzer.error().to_string();
  EXPECT_EQ(analyzer->window(), 16);
  std::int64_t progress = 0;
  AnalyzerCallbacks callbacks;
  callbacks.on_face = [](const FaceObservation&) { ADD_FAILURE() << "there is no face"; };
  callbacks.on_progress = [&](const AnalyzerProgress& p) { progress = p.frames; };
  const auto summary = analyzer->analyze(path("plain.mp4"), callbacks);
  ASSERT_TRUE(summary.ok()) << summary.error().to_string();
  EXPECT_EQ(summary->frames, 40);
  EXPECT_EQ(progress, 40);
  EXPECT_NEAR(summary->duration_s, 1.6, 1e-3);
  EXPECT_EQ(summary->note, "no face was found in 40 frames (detector: haar)");
  EXPECT_TRUE(summary->tracks.empty());
}

TEST_F(AnalyzerTest, StopsWhenAsked) {
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  int frames = 0;
  AnalyzerCallbacks callbacks;
  std::atomic<bool> stop{false};
  callbacks.on_progress = [&](const AnalyzerProgress&) { stop = ++frames == 5; };
  callbacks.cancelled = [&] { return stop.load(); };
  const std::string out = path("cancelled");
  const auto summary = analyzer->analyze_to(path("plain.mp4"), {out, true}, callbacks);
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(AnalyzerTest, RefusesWindowsThatAVideoModelCannotRead) {
  AnalyzerOptions wrong = options("video.safetensors");
  wrong.window = 8;
  EXPECT_EQ(Analyzer::load(wrong).error().code, ErrorCode::kInvalidArgument);
  wrong.window = 16;
  EXPECT_TRUE(Analyzer::load(wrong).ok());
  AnalyzerOptions stride = options();
  stride.stride = 0;
  EXPECT_EQ(Analyzer::load(stride).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AnalyzerTest, BudgetsAndMasksAreOfModelsThatHaveThem) {
  AnalyzerOptions wrong = options();
  wrong.budget = 0.5;
  const auto refused = Analyzer::load(wrong);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().to_string().find("image.safetensors: is no AdaTosk"), std::string::npos)
      << refused.error().to_string();
  wrong = options("video.safetensors");
  wrong.mask = true;
  EXPECT_EQ(Analyzer::load(wrong).error().code, ErrorCode::kInvalidArgument);
  AnalyzerOptions right = options("masked.safetensors");
  right.mask = true;
  right.budget = 0.5;
  EXPECT_TRUE(Analyzer::load(right).ok());
  for (const double budget : {-0.5, 1.5, std::nan("")}) {
    right.budget = budget;
    EXPECT_EQ(Analyzer::load(right).error().code, ErrorCode::kInvalidArgument) << budget;
  }
}

TEST_F(AnalyzerTest, WindowsBringTheMaskWhenAsked) {
  if (!fs::exists(shared("single_face.mp4"))) GTEST_SKIP() << "needs shared/data/video";
  for (const bool mask : {true, false}) {
    AnalyzerOptions asked = options("masked.safetensors");
    asked.mask = mask;
    const auto analyzer = Analyzer::load(asked);
    ASSERT_TRUE(analyzer.ok()) << analyzer.error().to_string();
    std::int64_t windows = 0;
    AnalyzerCallbacks callbacks;
    callbacks.on_window = [&](const ExpressionWindow& w) {
      ++windows;
      ASSERT_EQ(w.mask.size(), mask ? 8U * 7 * 7 : 0U);
      for (const float m : w.mask) EXPECT_TRUE(m >= 0.0F && m <= 1.0F) << m;
      if (!mask) return;
      const auto [low, high] = std::minmax_element(w.mask.begin(), w.mask.end());
      EXPECT_GT(*high - *low, 0.05F) << "a mask that says nothing";
    };
    const auto summary = analyzer->analyze(shared("single_face.mp4"), callbacks);
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    EXPECT_GE(windows, 13);
  }
}

// Windows of AdaTosk an even number of samples apart share the slots that both have, others none.
TEST_F(AnalyzerTest, SharedSlotsChangeNoWindow) {
  if (!fs::exists(shared("single_face.mp4"))) GTEST_SKIP() << "needs shared/data/video";
  std::map<double, std::vector<float>> apart;
  for (const int stride : {3, 4}) {
    AnalyzerOptions asked = options("masked.safetensors");
    asked.stride = stride;
    asked.mask = true;
    const auto analyzer = Analyzer::load(asked);
    ASSERT_TRUE(analyzer.ok()) << analyzer.error().to_string();
    int both = 0;
    AnalyzerCallbacks callbacks;
    callbacks.on_window = [&](const ExpressionWindow& w) {
      if (stride == 3) {
        apart[w.start_s] = w.mask;
      } else if (const auto same = apart.find(w.start_s); same != apart.end()) {
        ++both;
        ASSERT_EQ(w.mask.size(), same->second.size());
        for (std::size_t i = 0; i < w.mask.size(); ++i) {
          EXPECT_NEAR(w.mask[i], same->second[i], 1e-4F);
        }
      }
    };
    const auto summary = analyzer->analyze(shared("single_face.mp4"), callbacks);
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    if (stride == 4) {
      EXPECT_GE(both, 4);  // at 0, 12, 24, 36 samples
    }
  }
}

TEST_F(AnalyzerTest, TellsTheTwoKindsOfModelApart) {
  AnalyzerOptions swapped = options("landmark.safetensors");
  EXPECT_EQ(Analyzer::load(swapped).error().code, ErrorCode::kUnsupported);
  swapped = options();
  swapped.landmark = path("image.safetensors");
  EXPECT_EQ(Analyzer::load(swapped).error().code, ErrorCode::kUnsupported);
}

TEST_F(AnalyzerTest, RowsOfARealFace) {
  if (!fs::exists(shared("single_face.mp4"))) GTEST_SKIP() << "needs shared/data/video";
  for (const char* model : {"image.safetensors", "video.safetensors"}) {
    SCOPED_TRACE(model);
    const auto analyzer = Analyzer::load(options(model));
    ASSERT_TRUE(analyzer.ok()) << analyzer.error().to_string();
    std::vector<ExpressionWindow> windows;
    std::vector<FaceObservation> faces;
    AnalyzerCallbacks callbacks;
    callbacks.on_window = [&](const ExpressionWindow& w) { windows.push_back(w); };
    callbacks.on_face = [&](const FaceObservation& f) { faces.push_back(f); };
    const auto summary = analyzer->analyze(shared("single_face.mp4"), callbacks);
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    EXPECT_EQ(summary->frames, 72);
    EXPECT_GE(summary->face_frames, 69);
    ASSERT_EQ(summary->tracks.size(), 1U);
    EXPECT_EQ(summary->tracks[0].id, 1);
    EXPECT_EQ(summary->windows, static_cast<std::int64_t>(windows.size()));
    // 72 samples, window 16, stride 4: 15 windows when every frame has the face.
    EXPECT_GE(windows.size(), 13U);
    EXPECT_LE(windows.size(), 15U);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const ExpressionWindow& w = windows[i];
      EXPECT_NEAR(w.end_s - w.start_s, 16 / 30.0, 1e-6);
      if (i > 0) {
        EXPECT_NEAR(w.start_s - windows[i - 1].start_s, 4 / 30.0, 1e-6);
      }
      EXPECT_NEAR(std::accumulate(w.probabilities.begin(), w.probabilities.end(), 0.0), 1, 1e-5);
      EXPECT_EQ(w.probabilities[static_cast<std::size_t>(w.label)], w.confidence);
      EXPECT_GT(w.w, 60) << "the face fills much of the picture";
      EXPECT_GT(w.x + w.w / 2, 200);
      EXPECT_LT(w.x + w.w / 2, 440);
    }
    for (std::size_t i = 1; i < faces.size(); ++i) EXPECT_LT(faces[i - 1].frame, faces[i].frame);
  }
}

TEST_F(AnalyzerTest, NothingIsInventedAfterTheFaceIsGone) {
  if (!fs::exists(shared("face_noface.mov"))) GTEST_SKIP() << "needs shared/data/video";
  const auto analyzer = Analyzer::load(options());
  ASSERT_TRUE(analyzer.ok());
  std::int64_t last = -1;
  double last_window = 0;
  double last_face = 0;
  AnalyzerCallbacks callbacks;
  callbacks.on_face = [&](const FaceObservation& f) {
    last = std::max(last, f.frame);
    last_face = std::max(last_face, f.time_s);
  };
  callbacks.on_window = [&](const ExpressionWindow& w) {
    last_window = std::max(last_window, w.end_s);
  };
  const auto summary = analyzer->analyze(shared("face_noface.mov"), callbacks);
  ASSERT_TRUE(summary.ok()) << summary.error().to_string();
  EXPECT_EQ(summary->frames, 169);
  EXPECT_EQ(summary->tracks.size(), 1U);
  EXPECT_GE(last, 69);
  EXPECT_LE(last, 71);
  EXPECT_LE(last_window, last_face + 1.01 / kSampleRateHz);
}

TEST_F(AnalyzerTest, PredictsStills) {
  const auto analyzer = Analyzer::load(options("video.safetensors"));
  ASSERT_TRUE(analyzer.ok());
  ASSERT_TRUE(media::write_png(path("still.png"), testing::plain_picture(200, 150, 3)).ok());
  const auto none = analyzer->predict(path("still.png"));
  ASSERT_TRUE(none.ok()) << none.error().to_string();
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(analyzer->predict(path("missing.png")).error().code, ErrorCode::kNotFound);
}

TEST_F(AnalyzerTest, BundledModelsAreFoundWhereTheVariableSays) {
  ASSERT_EQ(setenv("MIEN_MODELS", folder_.c_str(), 1), 0);
  const auto landmark = find_bundled_model("landmark");
  ASSERT_TRUE(landmark.ok()) << landmark.error().to_string();
  EXPECT_EQ(*landmark, path("landmark.safetensors"));
  const auto missing = find_bundled_model("no-such-kind");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find(folder_.string()), std::string::npos);
  // Videos go to AdaTosk and stills to S2D, and to the other one where only that is there.
  const auto put = [&](const char* name) {
    std::filesystem::copy_file(path("video.safetensors"), path(name));
  };
  put("s2d-x.safetensors");
  EXPECT_EQ(find_default_model(false).value(), path("s2d-x.safetensors"));
  EXPECT_EQ(find_default_model(true).value(), path("s2d-x.safetensors"));
  put("adatosk-x.safetensors");
  EXPECT_EQ(find_default_model(false).value(), path("adatosk-x.safetensors"));
  EXPECT_EQ(find_default_model(true).value(), path("s2d-x.safetensors"));
  std::filesystem::remove(path("s2d-x.safetensors"));
  EXPECT_EQ(find_default_model(true).value(), path("adatosk-x.safetensors"));
  unsetenv("MIEN_MODELS");
}

}  // namespace
}  // namespace mien
