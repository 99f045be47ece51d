#include "media/draw.h"

#include <cmath>

#include "support.h"

namespace mien::media::test {
namespace {

TEST(DrawTest, MarksWhatItShouldAndNothingElse) {
  Image image = Image::black(100, 80);
  draw_rectangle(image, 10, 10, 30, 20, {255, 0, 0}, 1);
  EXPECT_EQ(pixel(image, 10, 10)[0], 255);
  EXPECT_EQ(pixel(image, 39, 29)[0], 255);
  EXPECT_EQ(pixel(image, 20, 20)[0], 0);
  EXPECT_EQ(pixel(image, 40, 30)[0], 0);
  fill_rectangle(image, 50, 40, 10, 10, {0, 200, 0}, 0.5F);
  EXPECT_NEAR(pixel(image, 55, 45)[1], 100, 1);
}

TEST(DrawTest, HeatTintsWhereTheValuesAre) {
  // Two by two cells of 20 pixels from (20, 10) on; the upper right one is hot.
  const Affine to_image{{20, 0, 20, 0, 20, 10}};
  const std::vector<float> values = {0, 1, 0, 0};
  Image image = Image::black(100, 80);
  draw_heat(image, to_image, values, 2, {200, 100, 0}, 0.5F);
  EXPECT_NEAR(pixel(image, 50, 20)[0], 100, 4);
  EXPECT_NEAR(pixel(image, 50, 20)[1], 50, 2);
  EXPECT_NEAR(pixel(image, 59, 10)[0], 100, 1) << "beyond the outer centres it stays";
  EXPECT_NEAR(pixel(image, 40, 20)[0], 50, 4) << "halfway between two centres";
  EXPECT_EQ(pixel(image, 25, 45)[0], 0);
  EXPECT_EQ(pixel(image, 60, 20)[0], 0);
  EXPECT_EQ(pixel(image, 50, 9)[0], 0);
  // The same turned by a quarter: rows of the grid become columns from right to left.
  Image turned = Image::black(100, 80);
  draw_heat(turned, {{0, -20, 60, 20, 0, 10}}, values, 2, {200, 100, 0}, 0.5F);
  EXPECT_NEAR(pixel(turned, 50, 40)[0], 100, 4);
  EXPECT_EQ(pixel(turned, 25, 15)[0], 0);
}

TEST(DrawTest, HeatThatCannotBeDrawsNothing) {
  const Image black = Image::black(30, 20);
  Image image = black;
  const std::vector<float> ones(4, 1.0F);
  draw_heat(image, {{0, 0, 5, 0, 0, 5}}, ones, 2, {255, 255, 255}, 1.0F);
  draw_heat(image, {{std::nan(""), 0, 5, 0, 2, 5}}, ones, 2, {255, 255, 255}, 1.0F);
  draw_heat(image, {{2, 0, 1e6, 0, 2, -1e6}}, ones, 2, {255, 255, 255}, 1.0F);
  draw_heat(image, {{2, 0, 5, 0, 2, 5}}, ones, 3, {255, 255, 255}, 1.0F);
  draw_heat(image, {{2, 0, 5, 0, 2, 5}}, std::vector<float>(4, std::nanf("")), 2, {255, 255, 255},
            1.0F);
  EXPECT_EQ(image.rgb, black.rgb);
  draw_heat(image, {{2, 0, 5, 0, 2, 5}}, std::vector<float>(4, 7.0F), 2, {255, 255, 255}, 1.0F);
  EXPECT_EQ(pixel(image, 6, 6)[0], 255);
}

TEST(DrawTest, TextFitsItsMeasure) {
  Image image = Image::black(300, 60);
  const TextSize size = measure_text("happiness 0.93", 14);
  draw_text(image, 10, 40, "happiness 0.93", 14, {255, 255, 255});
  int left = 300, right = -1, top = 60;
  for (int y = 0; y < 60; ++y) {
    for (int x = 0; x < 300; ++x) {
      if (pixel(image, x, y)[0] > 60)
        left = std::min(left, x), right = std::max(right, x), top = std::min(top, y);
    }
  }
  EXPECT_GE(left, 8);
  EXPECT_LE(right, 10 + size.width + 2);
  EXPECT_GT(right, 10 + size.width * 3 / 4);
  EXPECT_NEAR(40 - top, 14, 4);
}

TEST(DrawTest, FarOutsideIsHarmless) {
  Image image = Image::black(20, 20);
  draw_rectangle(image, -2000000000, -5, 10, 10, {1, 2, 3}, 3);
  draw_line(image, -100000, 5, 2000000000, 5, {9, 9, 9}, 1);
  draw_disc(image, 500000, 3, 4, {1, 1, 1});
  draw_text(image, 900000, -50, "\xc3\xa9 \n", 10, {1, 1, 1});
  fill_rectangle(image, -50, -50, 1000, 1000, {7, 8, 9});
  EXPECT_EQ(pixel(image, 19, 19), (std::vector<int>{7, 8, 9}));
  Image empty;
  draw_text(empty, 0, 0, "x", 10, {1, 1, 1});
}

}  // namespace
}  // namespace mien::media::test
