// Whole models in int8: near f32, the same for a clip whatever else is computed beside it, with
// layers left out, and who decides.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "compare.h"
#include "engine/context.h"
#include "engine/infer.h"
#include "engine/load_recognizer.h"
#include "model_on_disk.h"

namespace mien::engine {
namespace {

constexpr std::size_t kClip = std::size_t{4} * 48 * 48 * 3;
constexpr int kClips = 3;

struct Case {
  const char* name;
  core::ModelConfig config;
};

const std::vector<core::StemLayer> kStem = {{8, 2}, {8, 2}, {12, 2}, {16, 2}};

std::vector<Case> cases() {
  std::vector<Case> all = {{"s2d_video", test::small_config(true)},
                           {"s2d_stem", test::small_config(true)},
                           {"s2d_image", test::small_config(false)},
                           {"videomae", test::small_videomae_config()},
                           {"adatosk", test::small_adatosk_config()},
                           {"adatosk_stem_slotwise", test::small_adatosk_config()}};
  all[1].config.s2d.stem = kStem;
  all[5].config.adatosk.stem = kStem;
  all[5].config.adatosk.slotwise = true;
  return all;
}

class Int8Model : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    auto opened = core::open_model(test::write_random(folder_, GetParam().config, 8));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    model_.emplace(std::move(*opened));
  }

  // Logits of `clips` clips from the `first` on. AdaTosk computes all of its tokens: near ties of
  // its mask may go either way.
  std::vector<float> logits(const EngineOptions& options, int first = 0, int clips = kClips) const {
    const auto recognizer = RecognizerLoader::load(*model_, options);
    EXPECT_TRUE(recognizer.ok()) << recognizer.error().to_string();
    if (!recognizer.ok()) return {};
    auto session = recognizer->session();
    EXPECT_TRUE(session.ok());
    std::vector<float> out(static_cast<std::size_t>(clips) * 3);
    const auto faces = std::span(pixels_).subspan(static_cast<std::size_t>(first) * kClip,
                                                  static_cast<std::size_t>(clips) * kClip);
    ClipOptions asked;
    if (recognizer->has_mask()) asked.budget = 1.0;
    const Status done = session->logits(faces, clips, 4, out, asked);
    EXPECT_TRUE(done.ok()) << done.error().to_string();
    return out;
  }

  static EngineOptions int8(int threads) {
    return {.precision = Precision::kInt8, .threads = threads, .native_bf16 = NativeBf16::kOff};
  }

  testing::TempFolder folder_;
  std::optional<core::ModelFile> model_;
  std::vector<std::uint8_t> pixels_ = test::random_pixels(kClips * kClip, 6);
};

TEST_P(Int8Model, IsNearF32) {
  const auto f32 = logits({.precision = Precision::kF32, .threads = 1});
  for (const int threads : {1, 2}) {
    const test::Difference d = test::difference(logits(int8(threads)), f32);
    EXPECT_LT(d.relative, 0.25) << "got " << d.got << ", wanted " << d.wanted;
    EXPECT_GT(d.relative, 0.0) << "nothing was quantised";
    std::printf("%s: %.1e\n", GetParam().name, d.relative);
  }
}

// Scales belong to tokens, so no clip notices the others.
TEST_P(Int8Model, AClipOfManyIsAsOneAlone) {
  const auto all = logits(int8(2));
  for (int i = 0; i < kClips; ++i) {
    const auto one = logits(int8(2), i, 1);
    ASSERT_EQ(one.size(), 3U);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_EQ(one[c], all[static_cast<std::size_t>(i) * 3 + c]) << "clip " << i;
    }
  }
}

TEST_P(Int8Model, LayersCanBeLeftOut) {
  EngineOptions options = int8(1);
  const auto all_in = logits(options);
  options.keep = core::int8_layers(model_->config);
  EXPECT_EQ(logits(options), logits({.precision = Precision::kF32, .threads = 1}));
  // Each layer alone makes a difference, so each of the names reaches its layer.
  for (const std::string& layer : core::int8_layers(model_->config)) {
    options.keep = std::vector<std::string>{layer};
    EXPECT_NE(logits(options), all_in) << layer;
  }
}

TEST_P(Int8Model, InferGivesEveryActivation) {
  core::TensorMap inputs;
  inputs.emplace("video_u8", core::Tensor::from_u8({pixels_.data(), kClip}, {4, 48, 48, 3}));
  const auto run = [&](Precision precision) {
    EngineOptions engine = int8(1);
    engine.precision = precision;
    return infer(*model_, core::views_of(inputs), {.engine = engine, .activations = true});
  };
  const auto f32 = run(Precision::kF32);
  const auto got = run(Precision::kInt8);
  ASSERT_TRUE(f32.ok()) << f32.error().to_string();
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->precision, Precision::kInt8);
  EXPECT_EQ(got->outputs.size(), f32->outputs.size());
  for (const auto& [name, tensor] : got->outputs) {
    for (const float v : core::to_f32(tensor.view())) {
      ASSERT_TRUE(std::isfinite(v)) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Int8Model, ::testing::ValuesIn(cases()),
                         [](const auto& p) { return std::string(p.param.name); });

TEST(Int8Choice, AutoTakesItOnlyWhereTheModelSaysThatItHolds) {
  core::ModelConfig config = test::small_videomae_config();
  EXPECT_EQ(options_for({}, config).precision, Precision::kAuto);
  config.quantization.emplace();
  config.quantization->keep = {"blocks.0.mlp.fc2"};
  EXPECT_EQ(options_for({}, config).precision, Precision::kAuto);
  config.quantization->int8 = true;
  // Of fewer layers than there are now: said before others could be quantised.
  EXPECT_EQ(options_for({}, config).precision, Precision::kAuto);
  config.quantization->layers = static_cast<std::int64_t>(core::int8_layers(config).size());
  const EngineOptions chosen = options_for({}, config);
  if (has_fast_int8()) {
    EXPECT_EQ(chosen.precision, Precision::kInt8);
    EXPECT_EQ(chosen.keep, config.quantization->keep);
  } else {
    EXPECT_EQ(chosen.precision, Precision::kAuto);
    EXPECT_FALSE(chosen.keep.has_value());
  }
  for (const Precision asked : {Precision::kF32, Precision::kBf16}) {
    EXPECT_EQ(options_for({.precision = asked}, config).precision, asked);
  }
}

TEST(Int8Choice, WhoAsksForItGetsIt) {
  core::ModelConfig config = test::small_videomae_config();
  EngineOptions asked;
  asked.precision = Precision::kInt8;
  EXPECT_EQ(options_for(asked, config).precision, Precision::kInt8);
  EXPECT_EQ(options_for(asked, config).keep, std::vector<std::string>());
  config.quantization.emplace();
  config.quantization->keep = {"blocks.0.mlp.fc2"};
  EXPECT_EQ(options_for(asked, config).keep, config.quantization->keep);
  asked.keep = std::vector<std::string>{"blocks.1.attn.qkv"};
  EXPECT_EQ(options_for(asked, config).keep, std::vector<std::string>{"blocks.1.attn.qkv"});
}

TEST(Int8Choice, ALandmarkNetworkTakesWhatAutoTakes) {
  const testing::TempFolder folder;
  EngineOptions asked;
  asked.precision = Precision::kInt8;
  EXPECT_EQ(options_for(asked, test::landmark_config()).precision, Precision::kAuto);
  const auto net = LandmarkLocator::load(test::write_random(folder, test::landmark_config()),
                                         {.precision = Precision::kInt8, .threads = 1});
  EXPECT_TRUE(net.ok());
}

TEST(Int8Choice, TheRecognizerTellsWhatWasChosen) {
  const testing::TempFolder folder;
  core::ModelConfig config = test::small_videomae_config();
  const auto chosen = [&] {
    const auto model = Recognizer::load(test::write_random(folder, config));
    EXPECT_TRUE(model.ok());
    return model.ok() ? model->precision() : Precision::kAuto;
  };
  const Precision plain = has_fast_bf16() ? Precision::kBf16 : Precision::kF32;
  EXPECT_EQ(chosen(), plain);
  config.quantization.emplace();
  config.quantization->int8 = true;
  config.quantization->layers = static_cast<std::int64_t>(core::int8_layers(config).size());
  EXPECT_EQ(chosen(), has_fast_int8() ? Precision::kInt8 : plain);
  EXPECT_STREQ(precision_name(Precision::kInt8), "int8");
  EXPECT_STREQ(precision_name(Precision::kAuto), "auto");
}

}  // namespace
}  // namespace mien::engine
