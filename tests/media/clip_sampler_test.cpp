#include "media/clip_sampler.h"

#include <algorithm>
#include <cmath>

#include "support.h"

namespace mien::media::test {
namespace {

std::vector<double> track_times(double fps, double from_s, double to_s) {
  std::vector<double> out;
  for (int i = 0; i / fps <= to_s + 1e-9; ++i) {
    if (i / fps >= from_s - 1e-9) out.push_back(i / fps);
  }
  return out;
}

TEST(ClipSamplerTest, AllFrameRatesGiveTheSameWindows) {
  const std::vector<ClipWindow> at30 = sample_windows(track_times(30, 0, 4));
  ASSERT_EQ(at30.size(), (121 - 16) / 4 + 1U);
  for (const double fps : {15.0, 24.0, 25.0, 29.97, 50.0, 60.0, 120.0}) {
    const std::vector<double> times = track_times(fps, 0, 4);
    const std::vector<ClipWindow> got = sample_windows(times);
    ASSERT_NEAR(static_cast<double>(got.size()), static_cast<double>(at30.size()), 1.0) << fps;
    for (std::size_t w = 0; w < std::min(got.size(), at30.size()); ++w) {
      EXPECT_DOUBLE_EQ(got[w].start_s, at30[w].start_s) << fps;
      EXPECT_DOUBLE_EQ(got[w].end_s, at30[w].end_s) << fps;
      for (int i = 0; i < 16; ++i) {
        const double point = got[w].start_s + i / 30.0;
        const double off = std::abs(times[got[w].keys[i]] - point);
        EXPECT_LE(off, 0.5 / fps + 1e-6);
      }
    }
  }
}

TEST(ClipSamplerTest, ThirtyHertzTakesEveryFrameOnce) {
  const std::vector<ClipWindow> got = sample_windows(track_times(30, 0, 71 / 30.0));
  ASSERT_EQ(got.size(), 15U);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(got[0].keys[i], i);
    EXPECT_EQ(got[14].keys[i], 56 + i);
  }
  EXPECT_NEAR(got[0].end_s, 16 / 30.0, 1e-12);
}

TEST(ClipSamplerTest, TheExampleInTheHeader) {
  const std::vector<double> times{0.00, 0.04, 0.08, 0.12};
  const auto got = sample_windows(times, {.window = 3, .stride = 2, .rate_hz = 30});
  // The point .1333 is within half a step of the last frame, so there are five points.
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].keys, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(got[1].keys, (std::vector<std::int64_t>{2, 2, 3}));
}

TEST(ClipSamplerTest, AShortTrackIsPaddedWithItsLastFrame) {
  const std::vector<double> times{1.0, 1.0 + 1 / 30.0, 1.0 + 2 / 30.0};
  const auto got = sample_windows(times);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].padded);
  ASSERT_EQ(got[0].keys.size(), 16U);
  EXPECT_EQ(got[0].keys[1], 1);
  EXPECT_EQ(std::count(got[0].keys.begin(), got[0].keys.end(), 2), 14);
  EXPECT_NEAR(got[0].start_s, 1.0, 1e-9);
  EXPECT_NEAR(got[0].end_s, 1.1, 1e-9);
  EXPECT_EQ(sample_windows(std::vector<double>{5.0}).size(), 1U);
  EXPECT_TRUE(sample_windows(std::vector<double>{}).empty());
}

TEST(ClipSamplerTest, StreamingKeepsNoMoreThanAWindow) {
  ClipSampler sampler;
  std::vector<ClipWindow> streamed;
  std::vector<double> times;
  std::int64_t most_kept = 0;
  for (int i = 0; i < 600; ++i) {
    times.push_back(i / 60.0 + ((i * 7) % 5) * 0.001);
    for (ClipWindow& w : sampler.push(times.back(), i)) {
      ASSERT_TRUE(streamed.empty() || w.keys.front() >= streamed.back().keys.front());
      streamed.push_back(w);
    }
    most_kept = std::max(most_kept, i - *sampler.oldest_needed());
  }
  EXPECT_LE(most_kept, 2 * 16 + 3);  // 60 fps: two frames a grid step
  for (ClipWindow& w : sampler.finish()) streamed.push_back(w);
  const auto whole = sample_windows(times);
  ASSERT_EQ(whole.size(), streamed.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(whole[i].keys, streamed[i].keys);
}

TEST(ClipSamplerTest, HostileTimesEndQuickly) {
  ClipSampler sampler({.window = 0, .stride = -3, .rate_hz = 0});
  EXPECT_TRUE(sampler.push(std::nan(""), 0).empty());
  sampler.push(0, 1);
  EXPECT_TRUE(sampler.push(1e15, 2).empty());
  sampler.push(-5, 3);
  EXPECT_LE(sampler.finish().size(), 1U);
  EXPECT_TRUE(sampler.push(1, 4).empty());
}

TEST(ClipSamplerTest, AStrideBeyondTheWindowSkipsFrames) {
  const auto got =
      sample_windows(track_times(30, 0, 2), {.window = 4, .stride = 10, .rate_hz = 30});
  ASSERT_EQ(got.size(), 6U);
  EXPECT_EQ(got[5].keys, (std::vector<std::int64_t>{50, 51, 52, 53}));
}

}  // namespace
}  // namespace mien::media::test
