// AdaTosk in the engine and in LibTorch, the two implementations of core/adatosk_spec.h: the same
// mask, the same tokens kept, the same logits, at every budget.
#include <gtest/gtest.h>

#include "core/safetensors.h"
#include "engine/infer.h"
#include "engine/random_model.h"
#include "learn/models/adatosk.h"
#include "learn/state.h"

namespace mien {
namespace {

using torch::Tensor;

constexpr double kTolerance = 1e-4;
constexpr int kClips = 2;

struct Case {
  const char* name;
  bool agnostic = true;
  bool semantic = true;
  bool stem = false;
  bool gray = false;
  bool slotwise = false;
};

core::ModelConfig config_of(const Case& c) {
  core::ModelConfig config;
  config.arch = core::Arch::kAdaTosk;
  config.input.gray = c.gray;
  core::AdaToskConfig& a = config.adatosk;
  a.agnostic = c.agnostic;
  a.semantic = c.semantic;
  a.slotwise = c.slotwise;
  a.agnostic_hidden = c.slotwise ? 20 : 0;
  a.gate = 2;
  a.vit.img_size = 64;
  a.vit.num_frames = 16;
  a.vit.in_chans = c.gray ? 1 : 3;
  a.vit.embed_dim = 48;
  a.vit.depth = 4;
  a.vit.num_heads = 3;
  a.vit.num_classes = 7;
  if (c.gray) a.background = 1;
  if (c.stem) a.stem = {{8, 2}, {12, 2}, {12, 1}, {16, 2}, {20, 2}};
  return config;
}

// max |a - b| / max |b|
double relative_error(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().to(torch::kDouble).reshape(-1);
  const Tensor y = b.detach().to(torch::kDouble).reshape(-1);
  if (x.sizes() != y.sizes()) return 1e9;
  return ((x - y).abs().max() / y.abs().max().clamp_min(1e-12)).item<double>();
}

class AdaToskParity : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    config_ = config_of(GetParam());
    ASSERT_TRUE(core::validate(config_).ok()) << core::validate(config_).error().to_string();
    tensors_ = test::random_tensors(config_, 11);
    // The sharpness that training begins with: profiles far from even.
    const auto sharpness = tensors_.find("mask.semantic.sharpness");
    if (sharpness != tensors_.end()) sharpness->second.as<float>()[0] += 10.0F;
    net_ = learn::AdaTosk(config_.adatosk);
    const auto loaded = learn::load_state(*net_, core::views_of(tensors_), true);
    ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
    EXPECT_TRUE(loaded->unexpected.empty()) << loaded->unexpected.front();
    net_->eval();
    const core::VideoMaeConfig& v = config_.adatosk.vit;
    const core::Shape shape = {kClips, v.in_chans, v.num_frames, v.img_size, v.img_size};
    clips_ = core::Tensor::from_f32(test::random_floats(core::element_count(shape), 5), shape);
  }

  engine::InferResult run_engine(double budget, int threads) const {
    const core::TensorMap inputs = {{"x", clips_}};
    auto result =
        engine::infer_tensors(config_, core::views_of(tensors_), core::views_of(inputs),
                              {.engine = {.precision = Precision::kF32, .threads = threads},
                               .activations = true,
                               .budget = budget});
    EXPECT_TRUE(result.ok()) << result.error().to_string();
    return result.ok() ? std::move(*result) : engine::InferResult();
  }

  learn::AdaToskImpl::Output run_learn(double budget, learn::Taps& taps) {
    const torch::NoGradGuard no_grad;
    learn::AdaToskPass pass;
    pass.budget = budget;
    return net_->forward(learn::to_torch(clips_.view()), pass, &taps);
  }

  core::ModelConfig config_;
  core::TensorMap tensors_;
  core::Tensor clips_;
  learn::AdaTosk net_{nullptr};
};

// [B, S, g, g] -> [B, tokens].
Tensor by_token(const core::TensorMap& outputs, const std::string& name) {
  return learn::to_torch(outputs.at(name).view()).flatten(1);
}

TEST_P(AdaToskParity, MaskTokensAndLogits) {
  for (const double budget : {1.0, 0.5, 0.3}) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(std::to_string(budget) + " with " + std::to_string(threads) + " threads");
      const engine::InferResult ours = run_engine(budget, threads);
      ASSERT_TRUE(ours.outputs.contains("logits"));
      learn::Taps taps;
      const auto theirs = run_learn(budget, taps);
      const auto ours_of = [&](const std::string& name) {
        return learn::to_torch(ours.outputs.at(name).view());
      };
      EXPECT_LT(relative_error(ours_of("patch_embed"), taps.at("patch_embed")), kTolerance);
      EXPECT_LT(relative_error(ours_of("gate.out"), taps.at("block1.out")), kTolerance);
      if (theirs.log_mask.defined()) {
        EXPECT_LT(relative_error(by_token(ours.outputs, "mask"), theirs.log_mask.exp()),
                  kTolerance);
        EXPECT_LT(relative_error(ours_of("aux_logits"), theirs.aux_logits), kTolerance);
      } else {
        EXPECT_TRUE(by_token(ours.outputs, "mask").eq(1.0).all().item<bool>());
      }
      const Tensor kept = by_token(ours.outputs, "kept").to(torch::kBool);
      if (theirs.kept.defined()) {
        const Tensor wanted =
            torch::zeros(kept.sizes(), torch::kFloat).scatter(1, theirs.kept, 1.0).to(torch::kBool);
        EXPECT_TRUE(kept.equal(wanted)) << "other tokens were kept";
      } else {
        EXPECT_EQ(budget, 1.0);
        EXPECT_TRUE(kept.all().item<bool>());
      }
      EXPECT_LT(relative_error(ours_of("block3.out"), taps.at("block3.out")), kTolerance);
      EXPECT_LT(relative_error(ours_of("feature"), theirs.feature), kTolerance);
      EXPECT_LT(relative_error(ours_of("logits"), theirs.logits), kTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, AdaToskParity,
                         ::testing::Values(Case{"both"}, Case{"agnostic", true, false},
                                           Case{"semantic", false, true},
                                           Case{"none", false, false},
                                           Case{"gray_stem", true, true, true, true},
                                           Case{"colour_stem", true, true, true, false},
                                           Case{"slotwise", true, true, false, false, true},
                                           Case{"slotwise_stem", true, true, true, true, true}),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace mien
