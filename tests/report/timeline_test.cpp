#include "report/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/files.h"
#include "report/timeline_svg.h"

namespace mien::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kTwo = {"neutral", "happiness"};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Timeline, KeepsWindowsAsTheyAre) {
  Timeline timeline(kTwo);
  timeline.add(3, 0.0, 0.5, std::vector<float>{0.9F, 0.1F});
  timeline.add(3, 0.1, 0.6, std::vector<float>{0.2F, 0.8F});
  timeline.add(3, 0.2, 0.7, std::vector<float>{0.2F});  // not one value per class: ignored
  const auto tracks = timeline.longest_tracks(10);
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].id, 3);
  ASSERT_EQ(tracks[0].points.size(), 2U);
  EXPECT_DOUBLE_EQ(tracks[0].points[1].center_s, 0.35);
  EXPECT_FLOAT_EQ(tracks[0].points[1].probabilities[1], 0.8F);
}

TEST(Timeline, ThinsByAveragingAndKeepsGaps) {
  Timeline timeline(kTwo, 64);
  for (int i = 0; i < 10'000; ++i) {
    if (i >= 4000 && i < 6000) continue;  // unseen for 200 s
    const float p = i % 2 == 0 ? 1.0F : 0.0F;
    timeline.add(1, 0.1 * i, 0.1 * i + 0.5, std::vector<float>{p, 1.0F - p});
  }
  const auto tracks = timeline.longest_tracks(1);
  const auto& points = tracks[0].points;
  EXPECT_LE(points.size(), 65U);
  EXPECT_GE(points.size(), 32U);
  std::int64_t windows = 0;
  int gaps = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    windows += points[i].windows;
    if (points[i].windows >= 64) {
      EXPECT_NEAR(points[i].probabilities[0], 0.5, 0.01);
    }
    if (i > 0 && !touches(points[i - 1], points[i])) ++gaps;
  }
  EXPECT_EQ(windows, 8000);
  EXPECT_EQ(gaps, 1);
  EXPECT_NEAR(points.back().end_s, 1000.4, 1e-6);
}

TEST(Timeline, ManyShortTracksStayBounded) {
  Timeline timeline(kTwo, 100);
  for (int id = 1; id <= 20'000; ++id) {
    timeline.add(id, id, id + (id == 7 ? 90.0 : 0.5), std::vector<float>{1, 0});
  }
  EXPECT_LE(timeline.track_count(), 500U);
  EXPECT_EQ(timeline.longest_tracks(1)[0].id, 7);  // the longest is never given up
}

Timeline smile() {
  Timeline timeline(
      {"neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"});
  const auto add = [&](int id, double from, double to, double phase) {
    for (double t = from; t + 0.53 <= to; t += 0.133) {
      const double happy = 1 / (1 + std::exp(-6 * std::sin(0.9 * t + phase)));
      const double sad = 0.25 * (1 + std::cos(0.5 * t + phase)) * (1 - happy);
      const double rest = 1 - happy - sad;
      timeline.add(
          id, t, t + 0.53,
          std::vector<float>{static_cast<float>(rest * 0.7), static_cast<float>(happy),
                             static_cast<float>(rest * 0.08), static_cast<float>(sad),
                             static_cast<float>(rest * 0.08), static_cast<float>(rest * 0.06),
                             static_cast<float>(rest * 0.05), static_cast<float>(rest * 0.03)});
    }
  };
  add(1, 0, 14, 0);
  add(1, 18, 30, 1);
  add(2, 4, 26, 2);
  return timeline;
}

TEST(TimelineSvg, DrawsBandsGapsAndLabels) {
  const Timeline timeline = smile();
  const std::string svg =
      timeline_svg(timeline, {.title = "a <b> & \"c\".mp4", .subtitle = "s2d-tiny", .end_s = 30});
  EXPECT_THAT(svg, HasSubstr("a &lt;b&gt; &amp; &quot;c&quot;.mp4"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, HasSubstr(">face 1<"));
  EXPECT_THAT(svg, HasSubstr(">face 2<"));
  EXPECT_THAT(svg, HasSubstr(">30 s<"));
  EXPECT_THAT(svg, HasSubstr(">not seen<"));
  EXPECT_EQ(count(svg, "<path"), 3U * 8U);         // three runs (one gap) of eight classes
  EXPECT_GE(count(svg, ">happiness</text>"), 3U);  // legend, and in both faces' bands
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  const std::string out = std::string(MIEN_BINARY_DIR) + "/timeline_test.svg";
  EXPECT_TRUE(core::write_file_atomically(out, svg).ok());  // to look at
}

TEST(TimeStrip, AveragesWhatOverlaps) {
  TimeStrip strip(0.1);
  EXPECT_TRUE(strip.empty());
  strip.add(7, 0.0, 0.2, 1.0);
  strip.add(7, 0.1, 0.3, 0.0);
  strip.add(7, 0.5, 0.6, 0.25);
  strip.add(7, 0.0, 0.0, 9.0);  // no duration
  strip.add(7, 0.0, 0.1, std::nan(""));
  strip.add(7, 0.0, 1e9, 9.0);
  const auto cells = strip.cells(7);
  ASSERT_EQ(cells.size(), 4U);
  EXPECT_NEAR(cells[0].value, 1.0, 1e-9);
  EXPECT_NEAR(cells[1].value, 0.5, 1e-9);
  EXPECT_NEAR(cells[2].value, 0.0, 1e-9);
  EXPECT_NEAR(cells[3].value, 0.25, 1e-9);
  EXPECT_NEAR(cells[3].start_s, 0.5, 1e-9);
  EXPECT_NEAR(cells[3].end_s, 0.6, 1e-9);
  EXPECT_TRUE(strip.cells(8).empty());
}

TEST(TimeStrip, ThinsByAveragingAndKeepsGaps) {
  TimeStrip strip(1.0 / 30, 1000);
  double sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (i >= 8000 && i < 12'000) continue;
    const double value = 0.5 + 0.4 * std::sin(0.001 * i);
    sum += value;
    strip.add(1, i / 30.0, (i + 1) / 30.0, value);
  }
  const auto cells = strip.cells(1);
  EXPECT_LE(cells.size(), 1001U);
  EXPECT_GE(cells.size(), 400U);
  int gaps = 0;
  double mean = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    mean += cells[i].value / static_cast<double>(cells.size());
    if (i > 0 && cells[i].start_s > cells[i - 1].end_s + 1e-6) ++gaps;
  }
  EXPECT_EQ(gaps, 1);
  EXPECT_NEAR(mean, sum / 16'000, 0.01);
}

TEST(TimeStrip, ManyShortTracksStayBounded) {
  TimeStrip strip(1.0 / 30, 1000);
  for (int id = 1; id <= 20'000; ++id) {
    for (int i = 0; i < (id == 5 ? 300 : 1); ++i) {
      strip.add(id, id + i / 30.0, id + (i + 1) / 30.0, 0.5);
    }
  }
  std::size_t cells = 0;
  for (int id = 1; id <= 20'000; ++id) cells += strip.cells(id).size();
  EXPECT_LE(cells, 1000U);
  const auto longest = strip.cells(5);
  ASSERT_FALSE(longest.empty()) << "the longest is never given up";
  EXPECT_NEAR(longest[0].value, 0.5, 1e-9);
}

TEST(TimelineSvg, DrawsTheStripUnderEachFace) {
  const Timeline timeline = smile();
  TimeStrip strip;
  for (int i = 0; i < 300; ++i) strip.add(1, i / 30.0, (i + 1) / 30.0, i < 150 ? 1.0 : 0.5);
  for (int i = 600; i < 700; ++i) strip.add(1, i / 30.0, (i + 1) / 30.0, 0.25);
  const TimelineSvgOptions plain{.title = "x.mp4", .end_s = 30};
  TimelineSvgOptions with = plain;
  with.strip = &strip;
  with.strip_name = "mask";
  const std::string svg = timeline_svg(timeline, with);
  EXPECT_EQ(count(svg, "class=\"strip\""), 2U);  // two stretches of face 1, none of face 2
  EXPECT_EQ(count(svg, ">mask</text>"), 2U);     // but a name beside both
  EXPECT_THAT(svg, HasSubstr("mean 0.75, 0.00 to 10.00 s"));
  EXPECT_THAT(svg, HasSubstr("mean 0.25, 20.00 to 23.33 s"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_EQ(count(svg, "class=\"strip-line\""), 0U);
  with.strip_low = 0.5;
  with.strip_top = 1.5;
  with.strip_line = 1.0;
  EXPECT_EQ(count(timeline_svg(timeline, with), "class=\"strip-line\""), 2U);
  const std::string without = timeline_svg(timeline, plain);
  EXPECT_EQ(count(without, "class=\"strip\""), 0U);
  EXPECT_EQ(count(without, ">mask<"), 0U);
  const std::string out = std::string(MIEN_BINARY_DIR) + "/timeline_strip_test.svg";
  EXPECT_TRUE(core::write_file_atomically(out, svg).ok());  // to look at
}

TEST(TimelineSvg, SaysWhyItIsEmpty) {
  const Timeline timeline(kTwo);
  const std::string svg = timeline_svg(timeline, {.title = "x.mp4", .end_s = 4});
  EXPECT_THAT(svg, HasSubstr("no face was found"));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_EQ(count(svg, "<path"), 0U);
}

TEST(TimelineSvg, HoursReadAsClockTimesAndStaySmall) {
  Timeline timeline(kTwo);
  for (int i = 0; i < 27'000; ++i) {
    timeline.add(1, i * 0.1333, i * 0.1333 + 0.533, std::vector<float>{0.6F, 0.4F});
  }
  const std::string svg = timeline_svg(timeline, {.title = "x.mp4", .end_s = 3600});
  EXPECT_THAT(svg, HasSubstr(">0:30:00<"));
  EXPECT_LT(svg.size(), 400'000U);
}

TEST(TimelineSvg, ManyFacesAreCutToTheLongest) {
  Timeline timeline(kTwo);
  for (int id = 1; id <= 60; ++id) timeline.add(id, 0, id, std::vector<float>{1, 0});
  const std::string svg = timeline_svg(timeline, {.title = "x.mp4", .end_s = 60});
  EXPECT_THAT(svg, HasSubstr("the 24 longest of 60 faces"));
  EXPECT_THAT(svg, Not(HasSubstr(">face 36<")));
  EXPECT_THAT(svg, HasSubstr(">face 37<"));
}

TEST(TimelineSvg, DegenerateTimesDoNotBreakIt) {
  Timeline timeline(kTwo);
  timeline.add(1, 0, 0, std::vector<float>{1, 0});
  const std::string svg = timeline_svg(timeline, {.title = "\xFF\x01.jpg"});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, HasSubstr("\xEF\xBF\xBD"));
}

}  // namespace
}  // namespace mien::report
