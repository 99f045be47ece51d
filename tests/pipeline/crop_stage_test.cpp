// Crops between two searched frames: their points are interpolated, and lie where the network would
// have found them.
#include "pipeline/crop_stage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "media/face_detector.h"
#include "media/video_reader.h"
#include "mien/analyzer.hpp"

namespace mien::pipeline {
namespace {

TEST(BetweenPoints, LieOnTheLine) {
  media::Landmarks from;
  media::Landmarks to;
  for (std::size_t i = 0; i < from.xy.size(); ++i) {
    from.xy[i] = static_cast<float>(i);
    to.xy[i] = static_cast<float>(i) + 8.0F;
  }
  const media::Landmarks quarter = between_points(from, to, 0.25);
  for (std::size_t i = 0; i < from.xy.size(); ++i)
    EXPECT_FLOAT_EQ(quarter.xy[i], from.xy[i] + 2.0F);
  EXPECT_EQ(between_points(from, to, 0.0).xy, from.xy);
  EXPECT_EQ(between_points(from, to, 1.0).xy, to.xy);
}

// How far the corners of two crops lie from each other, in sides of the crop.
double distance(const media::Affine& a, const media::Affine& b, double side) {
  double most = 0;
  for (const double x : {0.0, side}) {
    for (const double y : {0.0, side}) {
      const auto p = a.apply(x, y);
      const auto q = b.apply(x, y);
      most = std::max(most, std::hypot(p[0] - q[0], p[1] - q[1]));
    }
  }
  return most / (a.scale() * side);
}

class RealFace : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::string(MIEN_SHARED_DIR) + "/data/video/single_face.mp4";
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "needs shared/data/video";
    setenv("MIEN_MODELS", MIEN_SOURCE_DIR "/models", 1);
    const auto landmark = find_bundled_model("landmark");
    if (!landmark.ok()) GTEST_SKIP() << "needs the trained models in models/";
    auto locator = LandmarkLocator::load(*landmark, {Precision::kF32, 1});
    ASSERT_TRUE(locator.ok()) << locator.error().to_string();
    locator_.emplace(std::move(*locator));
  }

  FaceAligner aligner() {
    const BoxShape shape = box_shape("haar");
    return {PointFinder(locator_->session().value(), locator_->input_size(), shape),
            {},
            kSide,
            shape,
            clocks_};
  }

  static constexpr int kSide = 112;
  std::string path_;
  std::optional<LandmarkLocator> locator_;
  Clocks clocks_;
};

TEST_F(RealFace, CropsBetweenSearchedFramesLieWhereTheirOwnPointsWouldPutThem) {
  auto source = media::open_source(path_, {}).value();
  const auto detector = media::make_detector("haar").value();
  FaceStage faces(*detector, {}, clocks_.detect);
  FaceAligner used = aligner();
  FaceAligner asked = aligner();
  CropStage crops(used, 0.16);
  std::vector<FramePtr> frames;
  std::vector<FaceSample> samples;
  const auto take = [&](const SearchedFrame& searched) {
    auto cropped = crops.push(searched);
    ASSERT_TRUE(cropped.ok()) << cropped.error().to_string();
    for (CropStep& step : cropped->steps) {
      std::move(step.samples.begin(), step.samples.end(), std::back_inserter(samples));
    }
  };
  while (auto frame = source->next().value()) {
    frames.push_back(std::make_shared<const media::Frame>(std::move(*frame)));
    take({frames.back(), faces.push(frames.back()).value()});
  }
  take({nullptr, faces.finish().value()});
  ASSERT_EQ(samples.size(), frames.size());  // 30 a second, all with the face
  double sum = 0;
  double most = 0;
  for (const FaceSample& sample : samples) {
    const media::Image& picture = frames[static_cast<std::size_t>(sample.frame)]->rgb;
    const auto own = asked.points(picture, sample.box, std::nullopt).value();
    ASSERT_TRUE(own.has_value()) << sample.frame;
    const auto crop = asked.crop(picture, sample.box, own).value();
    const double away = distance(sample.to_frame, crop.to_frame, kSide);
    sum += away;
    most = std::max(most, away);
  }
  // 1 % of the crop is one pixel. Looking twice at a searched frame differs by as much.
  EXPECT_LT(sum / static_cast<double>(samples.size()), 0.01);
  EXPECT_LT(most, 0.03);
}

}  // namespace
}  // namespace mien::pipeline
