// AdaTosk in the engine against the slow reference on random models of odd shapes: every form of
// the mask, budgets, threads, precisions, with and without a stem.
#include "engine/models/adatosk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compare.h"
#include "engine/infer.h"
#include "model_on_disk.h"
#include "reference_adatosk.h"

namespace mien::engine {
namespace {

struct Case {
  const char* name;
  core::AdaToskConfig sizes;
  int clips = 1;
  bool gray = false;
};

core::AdaToskConfig tiny(bool agnostic = true, bool semantic = true) {
  core::AdaToskConfig c;
  c.vit.img_size = 24;
  c.vit.patch_size = 8;
  c.vit.num_frames = 8;
  c.vit.embed_dim = 24;
  c.vit.depth = 3;
  c.vit.num_heads = 3;
  c.vit.mlp_ratio = 2.5;
  c.vit.num_classes = 5;
  c.gate = 1;
  c.agnostic = agnostic;
  c.semantic = semantic;
  return c;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"both_three_clips", tiny(), 3});
  all.push_back({"agnostic", tiny(true, false)});
  all.push_back({"agnostic_hidden", tiny(true, false), 2});
  all.back().sizes.agnostic_hidden = 5;
  all.push_back({"semantic", tiny(false, true), 2});
  all.back().sizes.background = 3;
  all.push_back({"none", tiny(false, false)});
  Case late{"late_gate_odd_width", tiny()};
  late.sizes.vit.embed_dim = 35;
  late.sizes.vit.num_heads = 5;
  late.sizes.gate = 2;
  all.push_back(late);
  Case one{"one_slot", tiny(), 2};
  one.sizes.vit.num_frames = 2;
  all.push_back(one);
  Case gray{"gray_stem", tiny(), 2, true};
  gray.sizes.background = 0;
  gray.sizes.vit.img_size = 16;
  gray.sizes.vit.in_chans = 1;
  gray.sizes.stem = {{6, 2}, {9, 2}, {9, 1}, {8, 2}};
  all.push_back(gray);
  Case colour{"colour_stem_three_frames", tiny()};
  colour.sizes.vit.img_size = 16;
  colour.sizes.vit.tubelet_size = 3;
  colour.sizes.vit.num_frames = 9;
  colour.sizes.stem = {{6, 2}, {7, 2}, {10, 2}};
  all.push_back(colour);
  Case slotwise{"slotwise", tiny(), 2};
  slotwise.sizes.slotwise = true;
  slotwise.sizes.gate = 2;
  slotwise.sizes.agnostic_hidden = 19;
  all.push_back(slotwise);
  Case slotwise_stem = gray;
  slotwise_stem.name = "slotwise_gray_stem";
  slotwise_stem.sizes.slotwise = true;
  all.push_back(slotwise_stem);
  return all;
}

core::ModelConfig config_of(const core::AdaToskConfig& sizes, bool gray = false) {
  core::ModelConfig config;
  config.arch = core::Arch::kAdaTosk;
  config.adatosk = sizes;
  config.input.gray = gray;
  return config;
}

core::TensorMap tensors_of(const core::ModelConfig& config, unsigned seed) {
  core::TensorMap tensors = test::random_tensors(config, seed);
  const auto sharpness = tensors.find("mask.semantic.sharpness");
  if (sharpness != tensors.end()) sharpness->second.as<float>()[0] += 10.0F;
  return tensors;
}

std::vector<float> narrow(const test::Row& row) {
  std::vector<float> out;
  for (const double v : row) out.push_back(static_cast<float>(v));
  return out;
}

// The part of a tensor that belongs to clip `index` of `count`.
std::vector<float> part_of(const core::Tensor& tensor, std::size_t index, std::size_t count) {
  const auto all = tensor.as<float>();
  const auto part = all.subspan(index * (all.size() / count), all.size() / count);
  return {part.begin(), part.end()};
}

class AdaToskReferenceTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& c = GetParam();
    config_ = config_of(c.sizes, c.gray);
    ASSERT_TRUE(core::validate(config_).ok()) << core::validate(config_).error().to_string();
    tensors_ = tensors_of(config_, 7);
    const core::VideoMaeConfig& v = c.sizes.vit;
    const core::Shape shape = {c.clips, v.num_frames, v.img_size, v.img_size, 3};
    const auto pixels = test::random_pixels(core::element_count(shape), 3);
    inputs_["video_u8"] = core::Tensor::from_u8(pixels, shape);
    const auto pictures = test::reference_pictures(config_, pixels, c.clips * v.num_frames);
    for (int b = 0; b < c.clips; ++b) {
      const auto first = pictures.begin() + static_cast<std::ptrdiff_t>(b) * v.num_frames;
      clips_.push_back(test::reference_adatosk_gate(
          c.sizes, tensors_, std::vector<test::Planes>(first, first + v.num_frames)));
    }
  }

  core::TensorMap run(const EngineOptions& engine, double budget, bool activations) const {
    const auto result =
        infer_tensors(config_, core::views_of(tensors_), core::views_of(inputs_),
                      {.engine = engine, .activations = activations, .budget = budget});
    EXPECT_TRUE(result.ok()) << result.error().to_string();
    return result.ok() ? result->outputs : core::TensorMap();
  }

  void expect_near(const std::string& what, const std::vector<float>& got, const test::Row& wanted,
                   double tolerance) const {
    const test::Difference d = test::difference(got, narrow(wanted));
    EXPECT_LE(d.relative, tolerance) << GetParam().name << ", " << what << ": worst at " << d.index
                                     << ", got " << d.got << ", wanted " << d.wanted;
  }

  // What the engine kept, once it is as good as what the reference would have: tokens whose masks
  // are alike within `tolerance` may change places.
  std::vector<std::size_t> check_kept(const std::vector<float>& flags, const test::Row& log_mask,
                                      double budget, double tolerance) const {
    const auto wanted = test::reference_kept(log_mask, budget);
    double least = 0.0;
    for (const std::size_t token : wanted) least = std::min(least, log_mask[token]);
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < flags.size(); ++i) {
      EXPECT_TRUE(flags[i] == 0.0F || flags[i] == 1.0F);
      if (flags[i] != 0.0F) {
        kept.push_back(i);
        EXPECT_GE(log_mask[i], least - tolerance) << GetParam().name << " keeps token " << i;
      } else {
        EXPECT_LE(log_mask[i], least + tolerance) << GetParam().name << " drops token " << i;
      }
    }
    EXPECT_EQ(kept.size(), wanted.size());
    if (!GetParam().sizes.masks()) {
      EXPECT_EQ(kept, wanted) << "of equals the first are kept";
    }
    return kept;
  }

  core::ModelConfig config_;
  core::TensorMap tensors_, inputs_;
  std::vector<test::ReferenceAdaTosk> clips_;
};

TEST_P(AdaToskReferenceTest, MaskAndLogitsAtEveryBudget) {
  const std::size_t count = clips_.size();
  for (const double budget : {1.0, 0.5, 0.3}) {
    SCOPED_TRACE(budget);
    const auto out = run({Precision::kF32, 1, NativeBf16::kAuto}, budget, true);
    ASSERT_TRUE(out.contains("logits"));
    const auto threaded = run({Precision::kF32, 2, NativeBf16::kAuto}, budget, false);
    ASSERT_TRUE(threaded.contains("logits"));
    EXPECT_EQ(threaded.size(), 2U) << "activations that nobody asked for";
    for (std::size_t b = 0; b < count; ++b) {
      test::ReferenceAdaTosk clip = clips_[b];
      test::Row gate, mask;
      for (const test::Row& row : clip.gate) gate.insert(gate.end(), row.begin(), row.end());
      for (const double v : clip.log_mask) mask.push_back(std::exp(v));
      expect_near("gate.out", part_of(out.at("gate.out"), b, count), gate, 1e-5);
      expect_near("mask", part_of(out.at("mask"), b, count), mask, 1e-4);
      EXPECT_EQ(out.contains("mask.agnostic"), !clip.agnostic.empty());
      EXPECT_EQ(out.contains("mask.semantic"), !clip.semantic.empty());
      EXPECT_EQ(out.contains("aux_logits"), !clip.aux_logits.empty());
      if (!clip.agnostic.empty()) {
        expect_near("agnostic", part_of(out.at("mask.agnostic"), b, count), clip.agnostic, 1e-4);
      }
      if (!clip.semantic.empty()) {
        expect_near("semantic", part_of(out.at("mask.semantic"), b, count), clip.semantic, 1e-4);
      }
      if (!clip.aux_logits.empty()) {
        expect_near("aux", part_of(out.at("aux_logits"), b, count), clip.aux_logits, 1e-4);
      }
      const auto kept = check_kept(part_of(out.at("kept"), b, count), clip.log_mask, budget, 1e-4);
      test::reference_adatosk_tail(GetParam().sizes, tensors_, kept, clip);
      expect_near("logits", part_of(out.at("logits"), b, count), clip.logits, 1e-4);
      expect_near("logits of two threads", part_of(threaded.at("logits"), b, count), clip.logits,
                  1e-4);
    }
  }
}

// Near ties of the mask may go the other way in bf16, so the reference goes on with the engine's
// own choice.
TEST_P(AdaToskReferenceTest, Bf16) {
  const std::size_t count = clips_.size();
  for (const double budget : {1.0, 0.5, 0.3}) {
    SCOPED_TRACE(budget);
    const auto out = run({Precision::kBf16, 1, NativeBf16::kOff}, budget, true);
    ASSERT_TRUE(out.contains("logits"));
    for (std::size_t b = 0; b < count; ++b) {
      test::ReferenceAdaTosk clip = clips_[b];
      const auto kept = check_kept(part_of(out.at("kept"), b, count), clip.log_mask, budget, 0.2);
      test::reference_adatosk_tail(GetParam().sizes, tensors_, kept, clip);
      expect_near("logits", part_of(out.at("logits"), b, count), clip.logits, 3e-2);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AdaToskReferenceTest, ::testing::ValuesIn(cases()),
                         [](const auto& p) { return std::string(p.param.name); });

std::shared_ptr<const AdaToskWeights> load(const core::ModelConfig& config,
                                           const core::TensorMap& tensors, int threads) {
  const auto context = Context::create({.precision = Precision::kF32, .threads = threads});
  EXPECT_TRUE(context.ok());
  const auto weights = AdaToskWeights::load(*context, config, core::views_of(tensors));
  EXPECT_TRUE(weights.ok()) << weights.error().to_string();
  return *weights;
}

// Large models are computed layer by layer by all threads. This one is just large enough that the
// work between the layers is split too.
TEST(AdaToskPlan, ThreadsOfALayerGiveTheNumbersOfOne) {
  core::AdaToskConfig sizes = tiny();
  sizes.vit.img_size = 96;
  sizes.vit.embed_dim = 64;
  sizes.vit.num_heads = 4;
  const core::ModelConfig config = config_of(sizes);
  const core::TensorMap tensors = tensors_of(config, 3);
  const auto pixels = test::random_pixels(std::size_t{8} * 96 * 96 * 3, 4);
  const auto weights = load(config, tensors, 3);
  const std::size_t kept = weights->tokens() / 2;
  std::vector<std::vector<float>> features;
  std::vector<std::vector<std::int32_t>> tokens;
  for (const int threads : {1, 2, 3}) {
    const ThreadScope scope(threads);
    AdaToskGate gate(weights);
    AdaToskTail tail(weights, kept);
    ASSERT_TRUE(gate.allocate().ok() && tail.allocate().ok());
    auto& feature = features.emplace_back(64);
    gate.run({.rgb = pixels.data()}, nullptr);
    tail.run(gate, feature.data(), nullptr);
    tokens.emplace_back(tail.kept().begin(), tail.kept().end());
  }
  EXPECT_EQ(tokens[0].size(), kept);
  EXPECT_TRUE(std::is_sorted(tokens[0].begin(), tokens[0].end()));
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(tokens[i], tokens[0]);
    EXPECT_LT(test::difference(features[i], features[0]).relative, 1e-5);
  }
}

TEST(AdaToskRunner, HoldsAFewBudgetsAndGoesOnBeyond) {
  const core::ModelConfig config = config_of(tiny());
  const core::TensorMap tensors = tensors_of(config, 5);
  const auto weights = load(config, tensors, 2);
  const auto pixels = test::random_pixels(std::size_t{2} * 8 * 24 * 24 * 3, 4);
  AdaToskRunner runner(weights);
  std::vector<std::vector<float>> first;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < AdaToskRunner::kHeldBudgets + 3; ++i) {
      std::vector<float> features(2 * 24);
      const AdaToskOutputs outputs{.features = features.data()};
      ASSERT_TRUE(runner.run({.rgb = pixels.data()}, 2, 4 + 5 * i, outputs, nullptr).ok());
      if (round == 0) {
        first.push_back(features);
      } else {
        EXPECT_EQ(features, first[i]) << "of " << 4 + 5 * i << " tokens";
      }
    }
  }
  EXPECT_NE(first[0], first[1]);
}

TEST(AdaToskWeights, CountsTheTokensOfABudget) {
  const core::ModelConfig config = config_of(tiny());  // 36 tokens
  const auto weights = load(config, tensors_of(config, 5), 1);
  EXPECT_EQ(weights->kept_tokens(1.0).value(), 36U);
  EXPECT_EQ(weights->kept_tokens(0.5).value(), 18U);
  EXPECT_EQ(weights->kept_tokens(0.3).value(), 11U);
  EXPECT_EQ(weights->kept_tokens(1e-9).value(), 1U);
  EXPECT_EQ(weights->kept_tokens(0.0).value(), 15U) << "the model's own, 0.4";
  for (const double wrong : {-0.1, 1.0001, std::nan(""), std::numeric_limits<double>::infinity()}) {
    const auto kept = weights->kept_tokens(wrong);
    ASSERT_FALSE(kept.ok()) << wrong;
    EXPECT_EQ(kept.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(kept.error().context, "budget");
  }
}

// Numbers of a file may be anything; by NaN no tokens can be put in order.
TEST(AdaToskMask, BrokenWeightsStillGiveAMaskToSortBy) {
  const core::ModelConfig config = config_of(tiny());
  for (const char* name : {"mask.agnostic.scale", "mask.norm.weight", "aux_head.weight",
                           "blocks.0.mlp.fc2.bias", "mask.semantic.offset"}) {
    for (const float bad : {std::nanf(""), 1e30F, -std::numeric_limits<float>::infinity()}) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(bad));
      core::TensorMap tensors = tensors_of(config, 5);
      std::fill(tensors[name].as<float>().begin(), tensors[name].as<float>().end(), bad);
      const auto weights = load(config, tensors, 1);
      const auto pixels = test::random_pixels(std::size_t{8} * 24 * 24 * 3, 4);
      AdaToskRunner runner(weights);
      std::vector<float> features(24), mask(36);
      std::vector<std::uint8_t> kept(36);
      ASSERT_TRUE(runner
                      .run({.rgb = pixels.data()}, 1, 10,
                           {features.data(), mask.data(), kept.data()}, nullptr)
                      .ok());
      EXPECT_EQ(std::count(kept.begin(), kept.end(), 1), 10);
      for (const float m : mask) EXPECT_TRUE(m >= 0.0F && m <= 1.0F) << m;
    }
  }
}

}  // namespace
}  // namespace mien::engine
