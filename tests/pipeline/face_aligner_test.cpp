#include "pipeline/face_aligner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "pipeline/random_models.h"
#include "pipeline/test_videos.h"

namespace mien::pipeline {
namespace {

// A face of 68 points in a square of side 100 around (cx, cy), turned by `angle`: the five points
// that count are where the mean face has them, the rest spans the square.
media::Landmarks upright_face(double cx, double cy, double angle = 0) {
  media::Landmarks points;
  const auto set = [&](std::size_t i, double u, double v) {
    const double x = 100 * (u - 0.5);
    const double y = 100 * (v - 0.5);
    points.xy[2 * i] = static_cast<float>(cx + std::cos(angle) * x - std::sin(angle) * y);
    points.xy[2 * i + 1] = static_cast<float>(cy + std::sin(angle) * x + std::cos(angle) * y);
  };
  for (std::size_t i = 0; i < 68; ++i) set(i, 0.5, 0.5);
  set(0, 0, 0.3);
  set(16, 1, 0.3);
  set(8, 0.5, 1);
  set(19, 0.2, 0);
  for (std::size_t i = 36; i < 42; ++i) set(i, 0.286, 0.227);
  for (std::size_t i = 42; i < 48; ++i) set(i, 0.714, 0.227);
  set(30, 0.5, 0.455);
  set(48, 0.318, 0.678);
  set(54, 0.682, 0.678);
  return points;
}

TEST(Squares, AroundPointsAndFromBoxes) {
  const Square around = square_around(upright_face(200, 150));
  EXPECT_NEAR(around.cx, 200, 1e-3);
  EXPECT_NEAR(around.cy, 150, 1e-3);
  EXPECT_NEAR(around.side, 100, 1e-3);
  const Square square = points_square({10, 20, 80, 100, 1}, {0.1, 0.8});
  EXPECT_DOUBLE_EQ(square.cx, 50);
  EXPECT_DOUBLE_EQ(square.cy, 80);
  EXPECT_DOUBLE_EQ(square.side, 80);
}

TEST(Plausible, AcceptsFacesAndRefusesTheRest) {
  const Square here{200, 150, 100};
  EXPECT_TRUE(plausible(upright_face(200, 150), here));
  EXPECT_TRUE(plausible(upright_face(210, 140, 0.6), here));
  EXPECT_FALSE(plausible(upright_face(290, 150), here)) << "elsewhere";
  EXPECT_FALSE(plausible(upright_face(200, 150), {200, 150, 300})) << "far too small";
  media::Landmarks mouth_above = upright_face(200, 150);
  for (std::size_t i : {48U, 54U}) mouth_above.xy[2 * i + 1] = 100;
  EXPECT_FALSE(plausible(mouth_above, here));
  media::Landmarks one_eye = upright_face(200, 150);
  for (std::size_t i = 36; i < 42; ++i) one_eye.xy[2 * i] = one_eye.xy[84];
  EXPECT_FALSE(plausible(one_eye, here));
  media::Landmarks broken = upright_face(200, 150);
  broken.xy[7] = std::nanf("");
  EXPECT_FALSE(plausible(broken, here));
}

class WithNetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    // CTest runs cases side by side, each in its own process.
    path_ = ::testing::TempDir() + "/aligner_" + std::to_string(::getpid()) + ".safetensors";
    ASSERT_TRUE(testing::write_random_landmark_net(path_).ok());
    auto locator = LandmarkLocator::load(path_, {Precision::kF32, 1});
    ASSERT_TRUE(locator.ok()) << locator.error().to_string();
    locator_.emplace(std::move(*locator));
  }
  void TearDown() override { std::filesystem::remove(path_); }

  FaceAligner aligner() {
    auto session = locator_->session();
    EXPECT_TRUE(session.ok());
    const BoxShape shape = box_shape("haar");
    return {
        PointFinder(std::move(*session), locator_->input_size(), shape), {}, 112, shape, clocks_};
  }

  std::string path_;
  std::optional<LandmarkLocator> locator_;
  Clocks clocks_;
};

TEST_F(WithNetwork, FallsBackOnTheBoxWhenPointsAreNoFace) {
  FaceAligner aligner = this->aligner();
  const media::Image picture = testing::plain_picture(320, 240, 0);
  const media::FaceBox box{100, 60, 90, 90, 1};
  const auto points = aligner.points(picture, box, std::nullopt);
  ASSERT_TRUE(points.ok()) << points.error().to_string();
  EXPECT_FALSE(points->has_value()) << "random weights know no faces";
  const auto crop = aligner.crop(picture, box, *points);
  ASSERT_TRUE(crop.ok()) << crop.error().to_string();
  EXPECT_EQ(crop->image.width, 112);
  EXPECT_EQ(crop->image.height, 112);
  // Its middle lies near the box's, a little above that of the points.
  const auto middle = crop->to_frame.apply(56, 56);
  EXPECT_NEAR(middle[0], 145, 5);
  EXPECT_NEAR(middle[1], 115, 15);
  // The gradient's red grows to the right: the crop shows the box's own part of it.
  const std::uint8_t left = crop->image.rgb[3 * (56 * 112 + 20)];
  const std::uint8_t right = crop->image.rgb[3 * (56 * 112 + 92)];
  EXPECT_GT(left, 255 * 95 / 320);
  EXPECT_LT(right, 255 * 195 / 320);
  EXPECT_GT(right, left + 20);
}

// The crop lies where the points say, whatever the box.
TEST_F(WithNetwork, PointsComeBeforeTheBox) {
  FaceAligner aligner = this->aligner();
  const media::Image picture = testing::plain_picture(320, 240, 0);
  const media::Landmarks points = upright_face(200, 120);
  const auto crop = aligner.crop(picture, {10, 10, 40, 40, 1}, points);
  ASSERT_TRUE(crop.ok()) << crop.error().to_string();
  const auto middle = crop->to_frame.apply(56, 56);
  EXPECT_NEAR(middle[0], 200, 3);
  EXPECT_NEAR(middle[1], 120, 15);
}

TEST_F(WithNetwork, ABoxPartlyOutsideStillGivesACrop) {
  FaceAligner aligner = this->aligner();
  const media::Image picture = testing::plain_picture(320, 240, 0);
  const media::FaceBox box{-40, -30, 90, 90, 1};
  const auto points = aligner.points(picture, box, std::nullopt);
  ASSERT_TRUE(points.ok()) << points.error().to_string();
  EXPECT_TRUE(aligner.crop(picture, box, *points).ok());
}

TEST_F(WithNetwork, ABoxWithoutAreaIsRefused) {
  FaceAligner aligner = this->aligner();
  const media::Image picture = testing::plain_picture(320, 240, 0);
  const media::FaceBox box{50, 50, 0, 0, 1};
  const auto points = aligner.points(picture, box, std::nullopt);
  ASSERT_TRUE(points.ok()) << points.error().to_string();
  EXPECT_FALSE(points->has_value());
  const auto crop = aligner.crop(picture, box, *points);
  ASSERT_FALSE(crop.ok());
  EXPECT_EQ(crop.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace mien::pipeline
