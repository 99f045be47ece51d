// What the bundled models say about the reference videos. Needs both, and skips without.
#include <gmock/gmock.h>

#include "cli/analyze_fixture.h"
#include "core/csv.h"
#include "mien/analyzer.hpp"

namespace mien::testing {
namespace {

class DefaultModelTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    models_ = std::string(MIEN_SOURCE_DIR) + "/models";
    ASSERT_EQ(setenv("MIEN_MODELS", models_.c_str(), 1), 0);
    const bool bundled = find_default_model(false).ok() && find_bundled_model("landmark").ok();
    if (!has_shared_videos()) GTEST_SKIP() << "needs shared/data/video";
    if (!bundled) GTEST_SKIP() << "needs the trained models in models/";
  }

  struct Window {
    double start_s, end_s;
    std::string label;
  };
  std::vector<Window> analyze(const std::string& video) {
    const Ran ran = mien({"analyze", shared_video(video), "--out", "o", "--no-video"});
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    std::vector<Window> windows;
    const auto table = core::read_csv(path("o/expressions.csv")).value();
    for (const core::CsvRecord& row : table.rows) {
      windows.push_back({std::stod(row[1]), std::stod(row[2]), row[8]});
    }
    return windows;
  }

  // segments.csv: neutral in frames 0-16, the smile in 20-68.
  static void expect_smile(const std::vector<Window>& windows) {
    int neutral = 0;
    int happy = 0;
    for (const Window& window : windows) {
      if (window.end_s <= 17.5 / 30) {
        EXPECT_EQ(window.label, "neutral") << window.start_s;
        ++neutral;
      }
      if (window.start_s >= 20 / 30.0 - 1e-6 && window.end_s <= 69.5 / 30) {
        EXPECT_EQ(window.label, "happiness") << window.start_s;
        ++happy;
      }
    }
    EXPECT_GE(neutral, 1);
    EXPECT_GE(happy, 8);
  }
};

TEST_F(DefaultModelTest, NeutralBeforeTheSmileAndHappinessWhileItLasts) {
  expect_smile(analyze("single_face.mp4"));
}

TEST_F(DefaultModelTest, TheSameSmileAtAVariableFrameRate) {
  const auto windows = analyze("face_noface.mov");
  expect_smile(windows);
  for (const Window& window : windows) EXPECT_LE(window.end_s, 72.1 / 30);
}

}  // namespace
}  // namespace mien::testing
