// The drawings must be well-formed and hold no text that was not escaped, whatever the classes are
// called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "report/bars_svg.h"
#include "report/confusion_svg.h"
#include "report/curves_svg.h"
#include "report/palette.h"
#include "report/reliability_svg.h"
#include "report/svg_canvas.h"
#include "report/xml_check.h"

namespace mien::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kHostile = {"<script>alert(1)</script>", "a&b\"c'd", "x\x01\xFFy"};

// What every drawing must be.
void expect_sound(const std::string& svg) {
  EXPECT_EQ(XmlCheck::fault(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("\"nan\"")));
  EXPECT_THAT(svg, Not(HasSubstr("\"inf\"")));
  EXPECT_EQ(count_of(svg, "http"), count_of(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
}

TEST(XmlCheck, FindsPlantedFaults) {
  EXPECT_EQ(XmlCheck::fault("<a b=\"1\"><c/>x &amp; y</a>\n"), "");
  for (const char* broken :
       {"<a><b></a>", "<a>", "</a>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>", "<a>&nbsp;</a>",
        "<a b=\"<\"/>", "<a/><b/>", "text", "<a>\x01</a>", "<a><b id=\"x\"/><c id=\"x\"/></a>"}) {
    EXPECT_NE(XmlCheck::fault(broken), "") << broken;
  }
}

ConfusionMatrix filled(std::size_t classes) {
  ConfusionMatrix matrix(classes);
  for (std::size_t t = 0; t < classes; ++t) {
    for (std::size_t p = 0; p < classes; ++p) {
      const auto times = static_cast<std::int64_t>(t == p ? 40 + 3 * t : (3 * t + 7 * p) % 11);
      EXPECT_TRUE(matrix.add(t, p, times).ok());
    }
  }
  return matrix;
}

TEST(ConfusionSvg, CountsPercentAndNames) {
  ConfusionMatrix matrix(3);
  ASSERT_TRUE(matrix.add(0, 0, 30).ok());
  ASSERT_TRUE(matrix.add(0, 1, 10).ok());
  ASSERT_TRUE(matrix.add(2, 2, 7).ok());
  const std::string svg = confusion_svg(matrix, {"happiness", "fear", "neutral"});
  expect_sound(svg);
  EXPECT_THAT(svg, HasSubstr("<?xml"));
  EXPECT_THAT(svg, HasSubstr(">30</text>"));
  EXPECT_THAT(svg, HasSubstr(">75.0 %</text>"));
  EXPECT_THAT(svg, HasSubstr("is happiness, said fear: 10 of 40 (25.0 %)"));
  EXPECT_THAT(svg, HasSubstr("happiness: 75.0 % right, most often taken for fear (25.0 %)"));
  EXPECT_THAT(svg, Not(HasSubstr("fear: 0.0 % right")));  // it has no clips
}

TEST(ConfusionSvg, AnyNumberOfClassesAndAnyNames) {
  for (const std::size_t classes : {1U, 2U, 7U, 11U, 26U, 60U, 150U}) {
    const std::string svg =
        confusion_svg(filled(classes), std::vector<std::string>(classes, "disappointment"));
    expect_sound(svg);
    // Background, a cell for each pair, a frame for each right answer.
    EXPECT_EQ(count_of(svg, "<rect"), 1 + classes * classes + classes);
  }
  expect_sound(confusion_svg(filled(3), kHostile, {.id = "x", .title = "<b>&"}));
  expect_sound(confusion_svg(filled(3), {}));  // names are missing: indices
}

TEST(ConfusionSvg, TextIsReadableOnEveryShade) {
  double last = 2.0;
  for (int i = 0; i <= 100; ++i) {
    const Rgb shade = shade_of(i / 100.0);
    EXPECT_GE(contrast_ratio(shade, readable_on(shade)), 4.5) << i;
    const double lightness = contrast_ratio(shade, {0, 0, 0}) / 21.0;
    EXPECT_LT(lightness, last) << i;  // darker throughout
    last = lightness;
  }
  EXPECT_NEAR(contrast_ratio({0, 0, 0}, {255, 255, 255}), 21.0, 1e-9);
  EXPECT_EQ(shade_of(std::nan("")), shade_of(0.0));
  EXPECT_EQ(shade_of(7.0), shade_of(1.0));
}

TEST(BarsSvg, ThreeBarsPerClassAndNoneWithoutBasis) {
  const ConfusionMatrix matrix = filled(7);
  const std::string svg = bars_svg(matrix.per_class(), {"happiness", "sadness", "neutral", "anger",
                                                        "surprise", "disgust", "<f>"});
  expect_sound(svg);
  EXPECT_EQ(count_of(svg, "<rect"), 1U + 3U + 7U * 3U);  // background, legend, bars
  EXPECT_THAT(svg, HasSubstr(">n " + std::to_string(matrix.per_class()[0].support) + "<"));
  EXPECT_THAT(svg, HasSubstr("&lt;f&gt;, recall:"));

  ConfusionMatrix lonely(2);
  ASSERT_TRUE(lonely.add(0, 0, 5).ok());
  const std::string one = bars_svg(lonely.per_class(), {"a", "b"});
  expect_sound(one);
  EXPECT_EQ(count_of(one, ">none<"), 3U);  // class b: no clips, never answered
}

TEST(CurvesSvg, GapsAndSinglePoints) {
  const double nan = std::nan("");
  const std::vector<Curve> curves = {
      {"loss", {{1, 2.0}, {2, 1.5}, {3, nan}, {4, 1.2}, {5, 1.1}}},
      {"<entropy>", {{1, std::numeric_limits<double>::infinity()}, {2, 0.7}}}};
  const std::string svg = curves_svg(curves, {.id = "c", .title = "Loss", .y_title = "loss"});
  expect_sound(svg);
  EXPECT_EQ(count_of(svg, "<polyline"), 2U);  // the first one in two pieces, the second is a dot
  EXPECT_EQ(count_of(svg, "<circle"), 5U);
  EXPECT_THAT(svg, HasSubstr("loss: from 2 to 1.1."));
  EXPECT_THAT(svg, HasSubstr("&lt;entropy&gt;"));
  EXPECT_THAT(svg, HasSubstr(">epoch<"));
}

TEST(CurvesSvg, NothingFlatAndHugeValues) {
  const std::string none = curves_svg({}, {.title = "empty"});
  expect_sound(none);
  EXPECT_THAT(none, HasSubstr("no values"));
  const std::vector<Curve> flat = {{"lr", {{1, 0.0}, {2, 0.0}}}};
  expect_sound(curves_svg(flat, {.title = "flat", .from_zero = true}));
  const std::vector<Curve> huge = {{"loss", {{-1e308, 1e308}, {1e308, -1e308}}}};
  expect_sound(curves_svg(huge, {.title = "huge"}));
  const std::vector<Curve> rate = {{"lr", {{1, 0.0}, {2, 2e-5}}}};
  EXPECT_THAT(curves_svg(rate, {.title = "rate", .from_zero = true}), HasSubstr(">1e-5<"));
}

TEST(ReliabilitySvg, ShowsBinsAndError) {
  const std::vector<ClipScore> clips = {{"a", 1, 0, {0.75F, 0.25F}, 1},
                                        {"b", 1, 1, {0.75F, 0.25F}, 1},
                                        {"c", 1, 1, {0.05F, 0.95F}, 1}};
  const std::string svg = reliability_svg(calibration_of(clips, 10));
  expect_sound(svg);
  EXPECT_THAT(svg, HasSubstr("ECE 18.3 %, 3 clips"));
  EXPECT_THAT(svg, HasSubstr("confidence 70.0 % to 80.0 %: 2 clips, mean confidence 75.0 %, right "
                             "50.0 %"));
  expect_sound(reliability_svg(calibration_of({}, 15)));
}

TEST(SvgCanvas, TicksAreRound) {
  const auto texts = [](double low, double high, int most) {
    const auto ticks = nice_ticks(low, high, most);
    std::string out;
    for (const double t : ticks) {
      out += (out.empty() ? "" : " ") + tick_text(t, ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0);
    }
    return out;
  };
  EXPECT_EQ(texts(0, 1, 5), "0 0.2 0.4 0.6 0.8 1.0");
  EXPECT_EQ(texts(0.13, 0.87, 6), "0.2 0.4 0.6 0.8");
  EXPECT_EQ(texts(1, 100, 10), "10 20 30 40 50 60 70 80 90 100");
  EXPECT_EQ(texts(0, 2e-5, 6), "0 5e-6 1e-5 1.5e-5 2e-5");
  EXPECT_EQ(texts(-2, 2, 4), "-2 -1 0 1 2");
  EXPECT_EQ(texts(3, 3, 4), "3");
  EXPECT_EQ(nice_ticks(std::nan(""), 1, 4).size(), 1U);
}

TEST(SvgCanvas, CutsTextBetweenCharacters) {
  EXPECT_EQ(shorten("abc", 3), "abc");
  EXPECT_EQ(shorten("abcd", 3), "abc...");
  EXPECT_EQ(shorten("a\xC3\xBC"
                    "b",
                    2),
            "a...");
  EXPECT_EQ(px(std::nan("")), "0");
  EXPECT_EQ(px(1.26), "1.3");
}

}  // namespace
}  // namespace mien::report
