// What `mien infer` refuses, and the shapes it takes.
#include "engine/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "compare.h"
#include "model_on_disk.h"

namespace mien::engine {
namespace {

using ::testing::HasSubstr;
using Shape = core::Shape;

core::Tensor pixels(const Shape& shape) {
  return core::Tensor::from_u8(test::random_pixels(core::element_count(shape), 8), shape);
}

core::Tensor floats(const Shape& shape) {
  return core::Tensor::from_f32(test::random_floats(core::element_count(shape), 8), shape);
}

class InferTest : public ::testing::Test {
 protected:
  void use(const core::ModelConfig& config) {
    config_ = config;
    tensors_ = test::random_tensors(config, 5);
  }

  Result<InferResult> run(const core::TensorMap& inputs, bool activations = false) {
    return infer_tensors(config_, core::views_of(tensors_), core::views_of(inputs),
                         {.engine = {.precision = Precision::kF32}, .activations = activations});
  }

  // One line that holds `part`.
  void expect_refused(const core::TensorMap& inputs, const std::string& part) {
    const auto result = run(inputs);
    ASSERT_FALSE(result.ok());
    const std::string line = result.error().to_string();
    EXPECT_THAT(line, HasSubstr(part));
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }

  core::ModelConfig config_;
  core::TensorMap tensors_;
};

TEST_F(InferTest, RefusesWrongInputs) {
  use(test::small_config(true));
  expect_refused({}, "neither 'x' nor 'video_u8'");
  expect_refused({{"video_u8", pixels({3, 48, 48, 3})}}, "a clip has 3 frames");
  expect_refused({{"video_u8", pixels({4, 48, 47, 3})}}, "has shape [4, 48, 47, 3]");
  expect_refused({{"video_u8", pixels({0, 48, 48, 3})}}, "has shape [0, 48, 48, 3]");
  expect_refused({{"video_u8", floats({4, 48, 48, 3})}}, "has element type F32");
  expect_refused({{"x", pixels({1, 3, 4, 48, 48})}}, "has element type U8");
  expect_refused({{"x", floats({3, 4, 48, 48})}}, "has shape [3, 4, 48, 48]");
  expect_refused({{"video_u8", pixels({4, 48, 48, 3})}, {"a", floats({3, 128, 3, 3})}},
                 "a: has shape [3, 128, 3, 3]");
  config_.s2d.with_landmark = false;
  expect_refused({{"video_u8", pixels({4, 48, 48, 3})}}, "no landmark trunk");
}

TEST_F(InferTest, RefusesWeightsThatDoNotFit) {
  use(test::small_config(true));
  tensors_["head.fc_cls.bias"] = floats({4});
  expect_refused({}, "head.fc_cls.bias: has shape [4]");
  tensors_.erase("head.fc_cls.bias");
  expect_refused({}, "head.fc_cls.bias: missing tensor");
}

// Two clips of 4 frames [2, 4, 48, 48, 3] as [2, 3, 4, 48, 48].
core::Tensor normalised(const core::Tensor& video, const core::InputNorm& norm) {
  core::Tensor x = core::Tensor::zeros(core::DType::kF32, {2, 3, 4, 48, 48});
  const auto rgb = video.as<std::uint8_t>();
  const auto out = x.as<float>();
  constexpr std::size_t kPlace = 48 * 48;
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t f = 0; f < 4; ++f) {
      for (std::size_t i = 0; i < kPlace; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
          const float v = static_cast<float>(rgb[((b * 4 + f) * kPlace + i) * 3 + c]) / 255.0F;
          out[((b * 3 + c) * 4 + f) * kPlace + i] = (v - norm.mean[c]) / norm.std[c];
        }
      }
    }
  }
  return x;
}

TEST_F(InferTest, PixelsAndNormalisedFramesAgree) {
  use(test::small_config(true));
  const core::Tensor video = pixels({2, 4, 48, 48, 3});
  const core::Tensor x = normalised(video, config_.input);
  const auto from_pixels = run({{"video_u8", video}}, true);
  const auto from_x = run({{"x", x}}, true);
  ASSERT_TRUE(from_pixels.ok() && from_x.ok());
  EXPECT_EQ(from_pixels->outputs.size(), from_x->outputs.size());
  for (const auto& [name, tensor] : from_pixels->outputs) {
    test::expect_close(name, from_x->outputs.at(name).view(), tensor.view(), 1e-5);
  }
  // Two clips: what is of all frames is of both.
  EXPECT_EQ(from_x->outputs.at("block1.out").shape, Shape({8, 10, 32}));
  EXPECT_EQ(from_x->outputs.at("logits").shape, Shape({2, 3}));
}

TEST_F(InferTest, VideoMaeFromPixelsAndFromNormalisedFrames) {
  use(test::small_videomae_config());
  const core::Tensor video = pixels({2, 4, 48, 48, 3});
  const core::Tensor x = normalised(video, config_.input);
  const auto from_pixels = run({{"video_u8", video}}, true);
  const auto from_x = run({{"x", x}}, true);
  ASSERT_TRUE(from_pixels.ok() && from_x.ok());
  for (const auto& [name, tensor] : from_pixels->outputs) {
    test::expect_close(name, from_x->outputs.at(name).view(), tensor.view(), 1e-5);
  }
  EXPECT_EQ(from_x->outputs.at("pos_embed").shape, Shape({18, 32}));
  EXPECT_EQ(from_x->outputs.at("block1.out").shape, Shape({2, 18, 32}));
  EXPECT_EQ(from_x->outputs.at("feature").shape, Shape({2, 32}));
  EXPECT_EQ(from_x->outputs.at("logits").shape, Shape({2, 3}));
  // Without a tap the clips are shared out among the threads; the numbers stay.
  const auto plain = run({{"x", x}});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->outputs.size(), 2U);
  test::expect_close("logits", plain->outputs.at("logits").view(),
                     from_x->outputs.at("logits").view(), 1e-6);
}

TEST_F(InferTest, AdaToskFromPixelsAndFromNormalisedFrames) {
  use(test::small_adatosk_config());
  const core::Tensor video = pixels({2, 4, 48, 48, 3});
  const core::Tensor x = normalised(video, config_.input);
  const auto from_pixels = run({{"video_u8", video}}, true);
  const auto from_x = run({{"x", x}}, true);
  ASSERT_TRUE(from_pixels.ok() && from_x.ok());
  for (const auto& [name, tensor] : from_pixels->outputs) {
    test::expect_close(name, from_x->outputs.at(name).view(), tensor.view(), 1e-4);
  }
  const std::map<std::string, Shape> shapes = {{"gate.out", {2, 18, 32}},
                                               {"mask", {2, 2, 3, 3}},
                                               {"mask.agnostic", {2, 2, 3, 3}},
                                               {"mask.semantic", {2, 2, 3, 3}},
                                               {"kept", {2, 2, 3, 3}},
                                               {"aux_logits", {2, 3}},
                                               {"block0.out", {2, 18, 32}},
                                               {"block1.out", {2, 9, 32}},
                                               {"feature", {2, 32}},
                                               {"logits", {2, 3}}};
  for (const auto& [name, shape] : shapes) {
    ASSERT_TRUE(from_x->outputs.contains(name)) << name;
    EXPECT_EQ(from_x->outputs.at(name).shape, shape) << name;
  }
}

TEST_F(InferTest, BudgetsAreOfAdaToskAlone) {
  const auto with_budget = [&](double budget) {
    const core::TensorMap inputs = {{"video_u8", pixels({4, 48, 48, 3})}};
    return infer_tensors(
        config_, core::views_of(tensors_), core::views_of(inputs),
        {.engine = {.precision = Precision::kF32}, .activations = true, .budget = budget});
  };
  use(test::small_adatosk_config());
  const auto few = with_budget(0.2);
  ASSERT_TRUE(few.ok()) << few.error().to_string();
  EXPECT_EQ(few->outputs.at("block2.out").shape, Shape({1, 4, 32}));
  for (const double wrong : {-1.0, 1.5}) {
    const auto refused = with_budget(wrong);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  use(test::small_videomae_config());
  const auto other = with_budget(0.5);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(other.error().to_string(), HasSubstr("no soft mask"));
}

TEST_F(InferTest, VideoMaeRefusesWrongInputs) {
  use(test::small_videomae_config());
  expect_refused({}, "neither 'x' nor 'video_u8'");
  expect_refused({{"image_u8", pixels({4, 48, 48, 3})}}, "neither 'x' nor 'video_u8'");
  expect_refused({{"video_u8", pixels({2, 48, 48, 3})}}, "a clip has 2 frames");
  expect_refused({{"video_u8", pixels({4, 64, 48, 3})}}, "has shape [4, 64, 48, 3]");
  expect_refused({{"x", floats({1, 3, 8, 48, 48})}}, "a clip has 8 frames");
  expect_refused({{"x", floats({1, 1, 4, 48, 48})}}, "has shape [1, 1, 4, 48, 48]");
  tensors_["blocks.1.attn.q_bias"] = floats({31});
  expect_refused({}, "blocks.1.attn.q_bias: has shape [31]");
}

TEST_F(InferTest, StillsOfAnImageModel) {
  use(test::small_config(false));
  const core::Tensor images = pixels({3, 48, 48, 3});
  const auto stills = run({{"image_u8", images}});
  ASSERT_TRUE(stills.ok()) << stills.error().to_string();
  EXPECT_EQ(stills->outputs.at("logits").shape, Shape({3, 3}));
  // The same as one clip: the mean of the features.
  const auto clip = run({{"video_u8", images}});
  ASSERT_TRUE(clip.ok());
  const auto features = stills->outputs.at("feature").as<float>();
  const auto mean = clip->outputs.at("feature").as<float>();
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_NEAR(mean[i], (features[i] + features[32 + i] + features[64 + i]) / 3.0F, 1e-5F);
  }
}

TEST_F(InferTest, ReversingTwiceIsTheClipItself) {
  use(test::small_config(true));
  core::Tensor video = pixels({4, 48, 48, 3});
  const auto forwards = run({{"video_u8", video}}, true);
  auto bytes = video.as<std::uint8_t>();
  constexpr std::size_t kFrame = 48 * 48 * 3;
  for (std::size_t f = 0; f < 2; ++f) {
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(f * kFrame),
                     bytes.begin() + static_cast<std::ptrdiff_t>((f + 1) * kFrame),
                     bytes.begin() + static_cast<std::ptrdiff_t>((3 - f) * kFrame));
  }
  const auto backwards = run({{"video_u8", video}}, true);
  ASSERT_TRUE(forwards.ok() && backwards.ok());
  test::expect_close("reversed", backwards->outputs.at("logits_time_reversed").view(),
                     forwards->outputs.at("logits").view(), 1e-6);
  const auto d = test::difference(backwards->outputs.at("logits").as<float>(),
                                  forwards->outputs.at("logits").as<float>());
  EXPECT_GT(d.relative, 1e-4) << "the order of the frames has no effect";
}

}  // namespace
}  // namespace mien::engine
