#include "media/align.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "support.h"

namespace mien::media::test {
namespace {

constexpr AlignTemplate kTemplate{0.34F, 0.40F, 0.66F, 0.40F, 0.50F,
                                  0.58F, 0.37F, 0.75F, 0.63F, 0.75F};

// 68 points whose five points are the template's, turned, scaled and moved into the frame.
Landmarks placed(double angle, double side, double x, double y) {
  Landmarks out;
  auto put = [&](int i, double u, double v) {
    const double dx = (u - 0.5) * side;
    const double dy = (v - 0.5) * side;
    out.xy[2 * i] = static_cast<float>(x + dx * std::cos(angle) - dy * std::sin(angle));
    out.xy[2 * i + 1] = static_cast<float>(y + dx * std::sin(angle) + dy * std::cos(angle));
  };
  auto spot = [&](int p) {
    return std::pair{static_cast<double>(kTemplate[2 * p]),
                     static_cast<double>(kTemplate[2 * p + 1])};
  };
  for (int i = 36; i < 42; ++i) put(i, spot(0).first, spot(0).second);
  for (int i = 42; i < 48; ++i) put(i, spot(1).first, spot(1).second);
  put(30, spot(2).first, spot(2).second);
  put(48, spot(3).first, spot(3).second);
  put(54, spot(4).first, spot(4).second);
  return out;
}

// A frame that is smooth, so that interpolation is exact to rounding: red grows with x, green with
// y.
Image ramp(int width, int height) {
  Image out = Image::black(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      out.row(y)[3 * x] = static_cast<std::uint8_t>(x * 250 / width);
      out.row(y)[3 * x + 1] = static_cast<std::uint8_t>(y * 250 / height);
    }
  }
  return out;
}

TEST(AffineTest, InverseUndoes) {
  const Affine map{{1.5, -0.3, 40, 0.2, 2.0, -7}};
  const auto [x, y] = map.apply(12.5, 88);
  const auto [u, v] = map.inverse().apply(x, y);
  EXPECT_NEAR(u, 12.5, 1e-9);
  EXPECT_NEAR(v, 88, 1e-9);
}

TEST(FitTest, FindsTheExactSimilarityAndRefusesNone) {
  const std::vector<double> from{0, 0, 10, 0, 0, 10, 7, 3};
  std::vector<double> to;
  const double a = 2 * std::cos(0.4);
  const double b = 2 * std::sin(0.4);
  for (std::size_t i = 0; i < from.size(); i += 2) {
    to.push_back(a * from[i] - b * from[i + 1] + 5);
    to.push_back(b * from[i] + a * from[i + 1] - 9);
  }
  const Result<Affine> fit = fit_similarity(from, to);
  ASSERT_TRUE(fit.ok());
  const double expected[6] = {a, -b, 5, b, a, -9};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(fit->m[i], expected[i], 1e-9);
  EXPECT_FALSE(
      fit_similarity({std::vector<double>{3, 3, 3, 3}}, {std::vector<double>{0, 0, 1, 1}}).ok());
  EXPECT_FALSE(fit_similarity(from, {std::vector<double>{0, 0}}).ok());
  const double nan = std::nan("");
  EXPECT_FALSE(
      fit_similarity({std::vector<double>{nan, 0, 1, 1}}, {std::vector<double>{0, 0, 1, 1}}).ok());
}

TEST(FitTest, OnePointFarOffDoesNotSpoilTheRest) {
  const std::vector<double> from{0, 0, 100, 0, 50, 50, 10, 100, 90, 100};
  std::vector<double> to = from;
  to[8] += 60;  // a mouth corner behind a hand
  const Result<Affine> plain = fit_similarity(from, to);
  const Result<Affine> robust = fit_similarity_robust(from, to);
  ASSERT_TRUE(plain.ok() && robust.ok());
  EXPECT_NEAR(robust->m[0], 1.0, 1e-6);
  EXPECT_NEAR(robust->m[2], 0.0, 1e-4);
  EXPECT_GT(std::abs(plain->m[2]) + std::abs(plain->m[5]), 1.0);
}

TEST(FitTest, AFaceThatSlowlyChangesDoesNotJump) {
  const std::vector<double> from{0, 0, 100, 0, 50, 50, 10, 100, 90, 100};
  std::optional<Affine> before;
  double moved = 0;
  for (double wide = 0; wide <= 60; wide += 0.25) {
    std::vector<double> to = from;
    to[6] -= 0.3 * wide;  // both corners, one more than the other
    to[8] += wide;
    const Affine map = fit_similarity_robust(from, to).value();
    if (before) {
      for (const double corner : {0.0, 100.0}) {
        const auto p = map.apply(corner, 100.0 - corner);
        const auto q = before->apply(corner, 100.0 - corner);
        EXPECT_LT(std::hypot(p[0] - q[0], p[1] - q[1]), 1.0) << wide;
        moved += std::hypot(p[0] - q[0], p[1] - q[1]);
      }
    }
    before = map;
  }
  EXPECT_GT(moved, 1.0);
}

TEST(AlignTest, PointsComeToTheTemplateAndBack) {
  const Image frame = ramp(640, 480);
  for (const double angle : {0.0, 0.35, -0.8}) {
    for (const double side : {60.0, 180.0, 420.0}) {
      const Landmarks points = placed(angle, side, 330, 250);
      const Result<Crop> crop = align_face(frame, points, kTemplate, 112);
      ASSERT_TRUE(crop.ok());
      const std::array<double, 10> five = five_points(points);
      for (int p = 0; p < 5; ++p) {
        const auto [x, y] = crop->to_frame.apply(static_cast<double>(kTemplate[2 * p]) * 112,
                                                 static_cast<double>(kTemplate[2 * p + 1]) * 112);
        EXPECT_NEAR(x, five[2 * p], 1e-3);
        EXPECT_NEAR(y, five[2 * p + 1], 1e-3);
      }
      // The picture went the same way as the map: compare with the ramp's own value there.
      const auto [x, y] = crop->to_frame.apply(56.5, 56.5);
      EXPECT_NEAR(pixel(crop->image, 56, 56)[0], x * 250 / 640, 2.0);
      EXPECT_NEAR(pixel(crop->image, 56, 56)[1], y * 250 / 480, 2.0);
    }
  }
}

TEST(AlignTest, ShrinkingAveragesInsteadOfPickingPixels) {
  Image board = Image::black(800, 800);
  for (int y = 0; y < 800; ++y) {
    for (int x = 0; x < 800; ++x) {
      if ((x + y) % 2 == 0) std::fill_n(board.row(y) + 3 * x, 3, std::uint8_t{254});
    }
  }
  const Result<Crop> crop = align_box(board, {100, 100, 600, 600, 1}, 0.0, 112);
  ASSERT_TRUE(crop.ok());
  for (int i = 8; i < 104; ++i) EXPECT_NEAR(pixel(crop->image, i, i)[0], 127, 4);
}

TEST(AlignTest, LandmarkCropIsTheSquareAndBlackOutside) {
  const Image frame = ramp(200, 200);
  const Result<Crop> crop = landmark_crop(frame, {-20, 40, 80, 100, 1});
  ASSERT_TRUE(crop.ok());
  ASSERT_EQ(crop->image.width, 112);
  const auto [x0, y0] = crop->to_frame.apply(0, 0);
  const auto [x1, y1] = crop->to_frame.apply(112, 112);
  EXPECT_NEAR(x1 - x0, 110, 1e-3);  // 1.1 times the longer side
  EXPECT_NEAR((x0 + x1) / 2, 20, 1e-3);
  EXPECT_NEAR((y0 + y1) / 2, 90, 1e-3);
  EXPECT_EQ(pixel(crop->image, 2, 60), (std::vector<int>{0, 0, 0}));
  EXPECT_GT(pixel(crop->image, 80, 60)[1], 90);
}

TEST(AlignTest, BordersAndNonsense) {
  const Image frame = pattern(100, 100);  // red at the upper left
  const FaceBox outside{-30, -30, 60, 60, 1};
  EXPECT_EQ(pixel(align_box(frame, outside, 0, 60, 0)->image, 3, 3), (std::vector<int>{0, 0, 0}));
  EXPECT_GT(pixel(align_box(frame, outside, 0, 60, 0, Border::kReplicate)->image, 3, 3)[0], 200);
  EXPECT_TRUE(align_box(frame, {-900, -900, 50, 50, 1}, 0, 60, 0, Border::kReplicate).ok());
  EXPECT_FALSE(align_box(frame, {5, 5, 0, 10, 1}, 0.1, 60).ok());
  EXPECT_FALSE(align_box(frame, {std::nanf(""), 5, 10, 10, 1}, 0.1, 60).ok());
  EXPECT_FALSE(align_face(frame, Landmarks{}, kTemplate, 112).ok());
  EXPECT_FALSE(align_face(Image{}, placed(0, 50, 50, 50), kTemplate, 112).ok());
  EXPECT_FALSE(align_face(frame, placed(0, 50, 50, 50), kTemplate, 0).ok());
}

}  // namespace
}  // namespace mien::media::test
