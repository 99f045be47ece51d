// The tint of the soft mask in annotated.mp4: where it counted and when, and nowhere else.
#include "pipeline/annotator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "media/video_reader.h"

namespace mien::pipeline {
namespace {

constexpr int kFrames = 4;

// Two slots of two samples on a 2x2 grid over the pixels 40..120 x 20..100: first the upper left
// cell counts, then the lower right.
WindowRow window_with_mask() {
  WindowRow row;
  row.window.track = 1;
  row.window.start_s = 0;
  row.window.end_s = kFrames / kSampleRateHz;
  row.window.label = 1;
  row.window.confidence = 0.9F;
  row.window.probabilities = {0.1F, 0.9F};
  row.window.mask = {1, 0, 0, 0, 0, 0, 0, 1};
  row.slots = 2;
  row.grid = 2;
  row.crop_size = 40;
  for (int i = 0; i < kFrames; ++i) row.places.push_back({i, {{2, 0, 40, 0, 2, 20}}});
  return row;
}

// How much redder than blue the 9 x 9 pixels around (x, y) are on average.
double warmth(const media::Image& image, int x, int y) {
  double sum = 0;
  for (int dy = -4; dy <= 4; ++dy) {
    for (int dx = -4; dx <= 4; ++dx) {
      const std::uint8_t* p = image.view().row(y + dy) + 3 * (x + dx);
      sum += p[0] - p[2];
    }
  }
  return sum / 81;
}

class AnnotatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/annotated_" + std::to_string(::getpid()) + ".mp4";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // Grey frames with those windows, as they come back from the file.
  std::vector<media::Image> film(const std::vector<WindowRow>& rows) {
    Annotator annotator(path_, {"neutral", "happiness"}, kSampleRateHz, clock_);
    for (const WindowRow& row : rows) annotator.window(row);
    for (int i = 0; i < kFrames; ++i) {
      auto frame = std::make_shared<media::Frame>();
      frame->rgb = media::Image::black(160, 120);
      std::fill(frame->rgb.rgb.begin(), frame->rgb.rgb.end(), std::uint8_t{128});
      frame->index = i;
      frame->time_s = i / kSampleRateHz;
      annotator.face({i, frame->time_s, 1, 40, 20, 80, 80, 1.0F});
      EXPECT_TRUE(annotator.frame(frame).ok());
    }
    const Status done = annotator.finish();
    EXPECT_TRUE(done.ok()) << done.error().to_string();
    std::vector<media::Image> frames;
    auto source = media::open_source(path_);
    EXPECT_TRUE(source.ok());
    if (!source.ok()) return frames;
    for (auto next = (*source)->next(); next.ok() && next->has_value(); next = (*source)->next()) {
      frames.push_back((*next)->rgb);
    }
    return frames;
  }

  std::string path_;
  StageClock clock_;
};

TEST_F(AnnotatorTest, TintsWhatCountedWhenItCounted) {
  const auto frames = film({window_with_mask()});
  ASSERT_EQ(frames.size(), static_cast<std::size_t>(kFrames));
  for (int i = 0; i < kFrames; ++i) {
    SCOPED_TRACE(i);
    const media::Image& image = frames[static_cast<std::size_t>(i)];
    const double upper_left = warmth(image, 58, 38);
    const double lower_right = warmth(image, 102, 82);
    EXPECT_GT(i < 2 ? upper_left : lower_right, 50);
    EXPECT_LT(std::abs(i < 2 ? lower_right : upper_left), 15);
    EXPECT_LT(std::abs(warmth(image, 20, 60)), 15) << "beside the face";
  }
}

TEST_F(AnnotatorTest, OverlappingWindowsAreAveraged) {
  WindowRow first = window_with_mask();
  first.window.mask = {1, 0, 0, 1, 1, 0, 0, 0};
  WindowRow second = first;  // begins where the first is half over
  for (CropPlace& place : second.places) place.frame += 2;
  second.window.start_s += 2 / kSampleRateHz;
  second.window.end_s += 2 / kSampleRateHz;
  const auto frames = film({first, second});
  ASSERT_EQ(frames.size(), static_cast<std::size_t>(kFrames));
  EXPECT_NEAR(warmth(frames[2], 58, 38), warmth(frames[0], 58, 38), 12) << "both say it counts";
  EXPECT_NEAR(warmth(frames[2], 102, 82), 0.5 * warmth(frames[0], 102, 82), 12) << "one does";
}

TEST_F(AnnotatorTest, WithoutAMaskTheFaceKeepsItsColour) {
  WindowRow row = window_with_mask();
  row.slots = row.grid = row.crop_size = 0;
  row.places.clear();
  row.window.mask.clear();
  for (const media::Image& image : film({row})) {
    EXPECT_LT(std::abs(warmth(image, 58, 38)), 15);
    EXPECT_LT(std::abs(warmth(image, 102, 82)), 15);
  }
}

}  // namespace
}  // namespace mien::pipeline
