// The engine against the slow reference, on random models of odd shapes.
#include <gtest/gtest.h>

#include "compare.h"
#include "engine/infer.h"
#include "random_model.h"
#include "reference_model.h"

namespace mien::engine {
namespace {

struct Case {
  const char* name;
  core::S2DConfig sizes;
  int clips = 1;
  int frames = 1;
  bool gray = false;
};

core::S2DConfig tiny() {
  core::S2DConfig c;
  c.img_size = 24;
  c.patch_size = 8;
  c.landmark_size = 24;
  c.embed_dim = 24;
  c.depth = 2;
  c.num_heads = 3;
  c.mlp_ratio = 2.5;
  c.hidden_dim = 5;
  c.adapter_scale = 1.0;  // 24: heads of 3
  c.num_frames = 3;
  c.num_classes = 5;
  return c;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"video_two_clips", tiny(), 2, 3});
  Case one{"one_frame", tiny(), 1, 1};
  one.sizes.num_frames = 1;
  all.push_back(one);
  Case image{"image_five_frames", tiny(), 2, 5};
  image.sizes.temporal = false;
  all.push_back(image);
  Case shallow{"shallow", tiny(), 1, 3};
  shallow.sizes.deep_prompt = false;
  all.push_back(shallow);
  Case wide{"odd_width", tiny(), 1, 2};
  wide.sizes.embed_dim = 35;
  wide.sizes.num_heads = 5;
  wide.sizes.adapter_scale = 0.69;  // int(24.15) = 24
  wide.sizes.num_frames = 2;
  all.push_back(wide);
  Case own{"stem_and_own_landmarks_7x7", tiny(), 1, 2, true};
  own.sizes.img_size = 112;
  own.sizes.patch_size = 16;
  own.sizes.landmark_size = 56;
  own.sizes.stem = {{6, 2}, {9, 2}, {9, 1}, {8, 2}, {12, 2}};
  own.sizes.with_landmark = true;
  own.sizes.num_frames = 2;
  all.push_back(own);
  Case channels{"map_of_seven_channels", tiny(), 1, 3};
  channels.sizes.in_chans_l = 7;
  all.push_back(channels);
  return all;
}

class ReferenceTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    config_.s2d = GetParam().sizes;
    config_.input.gray = GetParam().gray;
    ASSERT_TRUE(core::validate(config_).ok()) << core::validate(config_).error().to_string();
    tensors_ = test::random_tensors(config_, 7);
  }

  // The clips' pixels and, unless the model makes its own, their landmark maps.
  core::TensorMap make_inputs() const {
    const Case& c = GetParam();
    const auto side = static_cast<std::size_t>(c.sizes.img_size);
    const auto frames = static_cast<std::size_t>(c.clips * c.frames);
    core::TensorMap inputs;
    inputs["video_u8"] =
        core::Tensor::from_u8(test::random_pixels(frames * side * side * 3, 3),
                              {c.clips, c.frames, c.sizes.img_size, c.sizes.img_size, 3});
    if (!c.sizes.with_landmark) {
      const core::Shape shape = {c.clips * c.frames, c.sizes.in_chans_l, c.sizes.grid(),
                                 c.sizes.grid()};
      inputs["a"] =
          core::Tensor::from_f32(test::random_floats(core::element_count(shape), 4), shape);
    }
    return inputs;
  }

  std::vector<float> reference(const core::TensorMap& inputs) const {
    const Case& c = GetParam();
    const auto rgb = inputs.at("video_u8").as<std::uint8_t>();
    const std::vector<std::uint8_t> pixels(rgb.begin(), rgb.end());
    const auto pictures = test::reference_pictures(config_, pixels, c.clips * c.frames);
    std::vector<float> logits;
    for (int b = 0; b < c.clips; ++b) {
      std::vector<test::Planes> clip, maps;
      for (int f = b * c.frames; f < (b + 1) * c.frames; ++f) {
        clip.push_back(pictures[static_cast<std::size_t>(f)]);
        maps.push_back(landmark_map(inputs, clip.back(), f));
      }
      for (const double v : test::reference_logits(c.sizes, tensors_, clip, maps)) {
        logits.push_back(static_cast<float>(v));
      }
    }
    return logits;
  }

  core::ModelConfig config_;
  core::TensorMap tensors_;

 private:
  test::Planes landmark_map(const core::TensorMap& inputs, const test::Planes& picture,
                            int frame) const {
    const core::S2DConfig& s = GetParam().sizes;
    if (s.with_landmark) {
      return test::reference_trunk(tensors_, "landmark.",
                                   test::reference_resize(picture, s.landmark_size));
    }
    const auto a = inputs.at("a").as<float>();
    const auto size = static_cast<std::size_t>(s.in_chans_l * s.grid() * s.grid());
    const auto part = a.subspan(static_cast<std::size_t>(frame) * size, size);
    return {s.in_chans_l, s.grid(), {part.begin(), part.end()}};
  }
};

TEST_P(ReferenceTest, Logits) {
  const core::TensorMap inputs = make_inputs();
  const std::vector<float> wanted = reference(inputs);
  struct Way {
    EngineOptions options;
    bool activations;  // one thread carries all frames; without, they are shared out
    double tolerance;
  };
  for (const Way& way : {Way{{Precision::kF32, 2, NativeBf16::kAuto}, false, 1e-5},
                         Way{{Precision::kF32, 3, NativeBf16::kAuto}, false, 1e-5},
                         Way{{Precision::kF32, 1, NativeBf16::kAuto}, true, 1e-5},
                         Way{{Precision::kBf16, 2, NativeBf16::kOff}, false, 3e-2}}) {
    const auto result = infer_tensors(config_, core::views_of(tensors_), core::views_of(inputs),
                                      {.engine = way.options, .activations = way.activations});
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    const auto got = result->outputs.at("logits").as<float>();
    const test::Difference d = test::difference(got, wanted);
    EXPECT_LE(d.relative, way.tolerance) << GetParam().name << ": worst at " << d.index << ", got "
                                         << d.got << ", wanted " << d.wanted;
    std::printf("%s: %.1e\n", GetParam().name, d.relative);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ReferenceTest, testing::ValuesIn(cases()),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace mien::engine
