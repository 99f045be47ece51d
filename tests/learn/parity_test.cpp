// The LibTorch modules compute what the official code computes, activations and gradients.
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "learn/golden.h"
#include "learn/losses/still_losses.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/s2d.h"
#include "learn/optim/param_groups.h"

namespace mien::learn::test {
namespace {

using torch::Tensor;
using torch::indexing::Slice;

TEST(MobileFaceNetParity, EveryActivation) {
  SKIP_WITHOUT_GOLDEN("mobilefacenet");
  MobileFaceNet net(golden_config("mobilefacenet").mobilefacenet);
  load_golden(net, "mobilefacenet");
  net->eval();
  const torch::NoGradGuard no_grad;
  auto inputs = read_golden("mobilefacenet/inputs.safetensors");
  const auto expected = read_golden("mobilefacenet/outputs.safetensors");
  EXPECT_LT(relative_error(normalise(inputs["image_u8"]), inputs["x"]), 1e-6);
  Taps taps;
  const auto out = net->forward(inputs["x"], &taps);
  taps["landmark"] = taps["landmark_f64"] = out.landmark;
  taps["feat"] = out.feature;
  for (const auto& [name, truth] : expected) {
    Tensor mine = taps[name.substr(0, name.find(".img0"))];
    ASSERT_TRUE(mine.defined()) << name;
    if (name.find(".img0") != std::string::npos) mine = mine[0];
    if (name.ends_with("ch0_7")) mine = mine.index({Slice(0, 8)});
    EXPECT_LT(relative_error(mine, truth), kTolerance) << name;
  }
}

struct S2DCase {
  S2D net{nullptr};
  Tensor x, a;
  std::map<std::string, Tensor> expected;
};

S2DCase s2d_case() {
  S2DCase c;
  c.net = S2D(golden_config("s2d_small").s2d);
  load_golden(c.net, "s2d_small");
  c.net->eval();
  auto inputs = read_golden("s2d_small/inputs.safetensors");
  c.x = normalise(inputs["video_u8"]).transpose(0, 1).unsqueeze(0);
  c.a = inputs["a"];
  c.expected = read_golden("s2d_small/outputs.safetensors");
  return c;
}

TEST(S2DParity, EveryActivation) {
  SKIP_WITHOUT_GOLDEN("s2d_small");
  S2DCase c = s2d_case();
  const torch::NoGradGuard no_grad;
  Taps taps;
  const auto out = c.net->forward(c.x, c.a, &taps);
  taps["logits"] = taps["logits_f64"] = out.logits;
  taps["feature"] = out.feature;
  const int grid = 14;
  std::size_t compared = 0;
  for (const auto& [name, truth] : c.expected) {
    if (name == "landmark_in.f0" || name.starts_with("logits_")) continue;
    const bool first = name.ends_with(".f0");
    Tensor mine = taps[first ? name.substr(0, name.size() - 3) : name];
    if (name == "prompt_block0.T_Adapter.tok0_3") {
      mine = taps["prompt_block0.T_Adapter"].index({Slice(0, 4)});
    }
    ASSERT_TRUE(mine.defined()) << name;
    if (first) mine = mine[0];
    if (truth.dim() == 3 && truth.size(-1) == grid) mine = mine.t();  // tokens -> channels first
    EXPECT_LT(relative_error(mine, truth), kTolerance) << name;
    ++compared;
  }
  EXPECT_GE(compared, 20U);
  EXPECT_LT(relative_error(c.net->forward(c.x, torch::zeros_like(c.a)).logits,
                           c.expected["logits_with_zero_a"]),
            kTolerance);
  EXPECT_LT(relative_error(c.net->forward(c.x.flip(2), c.a.flip(0)).logits,
                           c.expected["logits_time_reversed"]),
            kTolerance);
}

TEST(S2DParity, LandmarkInputIsAlignCornersResize) {
  SKIP_WITHOUT_GOLDEN("s2d_small");
  core::ModelConfig config = golden_config("s2d_small");
  config.s2d.with_landmark = true;
  S2D net(config.s2d);
  const auto trunk =
      core::SafetensorsFile::open(golden_path("mobilefacenet/weights.safetensors")).value();
  ASSERT_TRUE(load_state(*net->landmark(), trunk.tensors(), true).ok());
  net->eval();
  const torch::NoGradGuard no_grad;
  S2DCase c = s2d_case();
  Taps taps;
  net->forward(c.x, {}, &taps);
  EXPECT_LT(relative_error(taps["landmark_in"][0], c.expected["landmark_in.f0"]), kTolerance);
  EXPECT_LT(relative_error(net->landmark()->forward(taps["landmark_in"]), c.a), kTolerance);
}

// Trains only what the official second stage trains.
void freeze_officially(S2D& net) {
  for (auto& item : net->named_parameters()) {
    item.value().set_requires_grad(s2d_video_stage_trains(item.key()));
  }
}

TEST(S2DParity, Gradients) {
  SKIP_WITHOUT_GOLDEN("s2d_small");
  S2DCase c = s2d_case();
  freeze_officially(c.net);
  const auto golden = read_golden("s2d_small/grads.safetensors");
  const Tensor loss = soft_cross_entropy(c.net->forward(c.x, c.a).logits, golden.at("soft_target"),
                                         torch::ones({1}));
  EXPECT_LT(relative_error(loss, golden.at("loss")), kTolerance);
  loss.backward();
  const auto parameters = c.net->named_parameters();
  for (const auto& [name, truth] : golden) {
    if (!name.starts_with("grad.")) continue;
    const Tensor grad = parameters[name.substr(5)].grad();
    ASSERT_TRUE(grad.defined()) << name;
    // Gradients that are zero but for rounding have no relative error.
    const double scale = truth.abs().max().item<double>();
    EXPECT_LT((grad - truth).abs().max().item<double>(), 1e-3 * scale + 1e-7) << name;
  }
}

TEST(S2DParity, ThreeAdamWSteps) {
  SKIP_WITHOUT_GOLDEN("s2d_small");
  S2DCase c = s2d_case();
  freeze_officially(c.net);
  const auto text = core::read_text_file(golden_path("s2d_small/train_steps.json")).value();
  const auto json = nlohmann::json::parse(text);
  const auto target_values = json["soft_target"].get<std::vector<float>>();
  const Tensor target = torch::tensor(target_values).unsqueeze(0);
  const DecayRule rule{.no_weight_decay = {"pos_embed", "temporal_embedding", "cls_token"}};
  const auto groups = make_groups(*c.net, rule, {});
  auto optimizer = make_adamw(*c.net, groups);
  set_learning_rate(optimizer, groups, 1e-3);
  const auto losses = json["loss_before_step_0_1_2_and_after"].get<std::vector<double>>();
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    const Tensor loss =
        soft_cross_entropy(c.net->forward(c.x, c.a).logits, target, torch::ones({1}));
    EXPECT_NEAR(loss.item<double>(), losses[static_cast<std::size_t>(step)], 2e-4) << step;
    loss.backward();
    optimizer.step();
  }
  const torch::NoGradGuard no_grad;
  const auto logits = json["logits_after_3_steps"].get<std::vector<float>>();
  EXPECT_LT(relative_error(c.net->forward(c.x, c.a).logits, torch::tensor(logits)), 1e-3);
  const auto parameters = c.net->named_parameters();
  for (const auto& [name, norm] : json["param_after_3_steps_l2"].items()) {
    const double mine = parameters[name].detach().to(torch::kDouble).norm().item<double>();
    EXPECT_NEAR(mine, norm.get<double>(), 1e-3 * norm.get<double>() + 1e-6) << name;
  }
}

TEST(S2D, ImageModelFramesAreIndependentAndOtherResolutionsRun) {
  core::S2DConfig config;
  config.img_size = 32;
  config.landmark_size = 16;
  config.patch_size = 16;
  config.embed_dim = 16;
  config.depth = 2;
  config.num_heads = 2;
  config.temporal = false;
  config.with_landmark = true;
  config.stem = {{8, 2}, {8, 2}, {16, 2}, {16, 2}};
  torch::manual_seed(3);
  S2D net(config);
  net->eval();
  const torch::NoGradGuard no_grad;
  const Tensor a = torch::randn({1, 3, 1, 32, 32});
  const Tensor b = torch::randn({1, 3, 1, 32, 32});
  const Tensor both = net->forward(torch::cat({a, b}, 2)).feature;
  const Tensor mean = (net->forward(a).feature + net->forward(b).feature) / 2;
  EXPECT_LT(relative_error(both, mean), 1e-5);
  EXPECT_EQ(net->forward(torch::randn({2, 3, 1, 64, 64})).logits.sizes(),
            (std::vector<std::int64_t>{2, 7}));
}

}  // namespace
}  // namespace mien::learn::test
