// VideoMAE's pre-training model against the official code: activations, targets, losses, gradients.
#include "learn/models/videomae_pretrain.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "learn/golden.h"
#include "learn/losses/cube_targets.h"
#include "learn/optim/param_groups.h"

namespace mien::learn::videomae_pretrain_test {
namespace {

using test::golden_path;
using test::kTolerance;
using test::load_golden;
using test::read_golden;
using test::relative_error;
using torch::Tensor;

constexpr const char* kFolder = "videomae_pretrain_small";

// The constructor arguments in the golden config.json.
core::VideoMaeConfig encoder_config() {
  core::VideoMaeConfig config;
  config.img_size = 64;
  config.embed_dim = 96;
  config.depth = 3;
  config.num_heads = 3;
  return config;
}

core::VideoMaeConfig decoder_config() {
  core::VideoMaeConfig config = encoder_config();
  config.embed_dim = 48;
  config.depth = 2;
  return config;
}

struct GoldenCase {
  VideoMaePretrain net{nullptr};
  Tensor clips;
  HardMask mask;

  Tensor targets(CubeTarget kind) const {
    return cube_targets(clips, mask.hidden, encoder_config(), core::InputNorm{}, kind);
  }
  Tensor loss(CubeTarget kind = CubeTarget::kNormPix) {
    return cube_loss(net->forward(clips, mask), targets(kind));
  }
};

GoldenCase golden_case() {
  GoldenCase c;
  c.net = VideoMaePretrain(encoder_config(), decoder_config());
  load_golden(c.net, kFolder);
  c.net->eval();
  const auto inputs = read_golden(std::string(kFolder) + "/inputs.safetensors");
  c.clips = inputs.at("x");
  const Tensor hidden = inputs.at("mask")[0];
  c.mask = {hidden.logical_not().nonzero().flatten().unsqueeze(0),
            hidden.nonzero().flatten().unsqueeze(0)};
  return c;
}

TEST(VideoMaePretrainParity, EveryActivation) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  GoldenCase c = golden_case();
  const torch::NoGradGuard no_grad;
  Taps taps;
  taps["reconstruction"] = c.net->forward(c.clips, c.mask, &taps);
  std::size_t compared = 0;
  for (const auto& [name, truth] : read_golden(std::string(kFolder) + "/outputs.safetensors")) {
    if (name.starts_with("target.") || name.starts_with("loss")) continue;
    ASSERT_TRUE(taps[name].defined()) << name;
    EXPECT_EQ(taps[name].sizes(), truth.sizes()) << name;
    EXPECT_LT(relative_error(taps[name], truth), kTolerance) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 10U);
}

TEST(VideoMaePretrainParity, TargetsAndLosses) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  GoldenCase c = golden_case();
  const torch::NoGradGuard no_grad;
  const auto expected = read_golden(std::string(kFolder) + "/outputs.safetensors");
  struct Kind {
    CubeTarget kind;
    const char* target;
    const char* loss;
  };
  for (const Kind& kind : {Kind{CubeTarget::kNormPix, "target.norm_pix.first8", "loss"},
                           Kind{CubeTarget::kRaw, "target.raw.first2", "loss_raw_pixels"},
                           Kind{CubeTarget::kFrameDiff, "target.norm_pix_frame_diff.first4",
                                "loss_frame_diff_target"}}) {
    const Tensor truth = expected.at(kind.target);
    const Tensor mine = c.targets(kind.kind).narrow(1, 0, truth.size(1));
    EXPECT_LT(relative_error(mine, truth), kTolerance) << kind.target;
    EXPECT_LT(relative_error(c.loss(kind.kind), expected.at(kind.loss)), kTolerance) << kind.loss;
  }
}

TEST(VideoMaePretrainParity, Gradients) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  GoldenCase c = golden_case();
  c.loss().backward();
  const auto parameters = c.net->named_parameters();
  std::size_t compared = 0;
  for (const auto& [name, truth] : read_golden(std::string(kFolder) + "/grads.safetensors")) {
    if (!name.starts_with("grad.")) continue;
    const Tensor grad = parameters[name.substr(5)].grad();
    ASSERT_TRUE(grad.defined()) << name;
    const double scale = truth.abs().max().item<double>();
    EXPECT_LT((grad - truth).abs().max().item<double>(), 1e-3 * scale + 1e-8) << name;
    ++compared;
  }
  EXPECT_GE(compared, 50U);
  const auto json = nlohmann::json::parse(
      core::read_text_file(golden_path(std::string(kFolder) + "/train_steps.json")).value());
  for (const auto& [name, norm] : json["grad_l2_first"].items()) {
    const double mine = parameters[name].grad().to(torch::kDouble).norm().item<double>();
    EXPECT_NEAR(mine, norm.get<double>(), 1e-3 * norm.get<double>() + 1e-9) << name;
  }
  EXPECT_EQ(json["grad_l2_first"].size(), parameters.size());
}

TEST(VideoMaePretrain, StepsRebuildBetter) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  GoldenCase c = golden_case();
  const DecayRule rule{.no_weight_decay = {"cls_token", "mask_token", "pos_embed"}};
  const auto groups = make_groups(*c.net, rule, {});
  auto optimizer = make_adamw(*c.net, groups, 0.95);  // the recipe's second beta
  set_learning_rate(optimizer, groups, 1e-3);
  double last = c.loss().item<double>();
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    c.loss().backward();
    optimizer.step();
    const double now = c.loss().item<double>();
    EXPECT_LT(now, last) << step;
    last = now;
  }
}

core::VideoMaeConfig little_config() {
  core::VideoMaeConfig config;
  config.img_size = 8;
  config.patch_size = 4;
  config.num_frames = 4;
  config.embed_dim = 16;
  config.depth = 2;
  config.num_heads = 2;
  return config;
}

TEST(VideoMaePretrain, BeginsAsTheOfficialCode) {
  torch::manual_seed(3);
  core::VideoMaeConfig decoder = little_config();
  decoder.embed_dim = 64;
  const VideoMaePretrain net(little_config(), decoder);
  const auto parameters = net->named_parameters();
  const Tensor token = parameters["mask_token"];
  EXPECT_EQ(token.sizes(), (std::vector<std::int64_t>{1, 1, 64}));
  EXPECT_LE(token.abs().max().item<double>(), 0.02 + 1e-7);
  // A normal cut at one deviation has 0.54 of it left.
  EXPECT_NEAR(token.std().item<double>(), 0.0108, 0.003);
  // Xavier: uniform up to sqrt(6 / (in + out)).
  const Tensor fc1 = parameters["encoder.blocks.0.mlp.fc1.weight"];
  const double edge = std::sqrt(6.0 / (16.0 + 64.0));
  EXPECT_LE(fc1.abs().max().item<double>(), edge + 1e-6);
  EXPECT_NEAR(fc1.std().item<double>(), edge / std::sqrt(3.0), 0.02);
  EXPECT_EQ(parameters["decoder.head.bias"].abs().max().item<double>(), 0.0);
}

TEST(VideoMaePretrain, SeesTheVisibleCubesOnly) {
  torch::manual_seed(5);
  VideoMaePretrain net(little_config(), little_config());
  net->eval();
  const torch::NoGradGuard no_grad;
  const HardMask mask = draw_hard_mask(HardMaskKind::kTube, 0.5, little_config(), 1, 9);
  const Tensor clips = torch::randn({1, 3, 4, 8, 8});
  Taps taps;
  const Tensor rebuilt = net->forward(clips, mask, &taps);
  EXPECT_EQ(rebuilt.sizes(), (std::vector<std::int64_t>{1, 4, 2 * 4 * 4 * 3}));
  EXPECT_EQ(taps["encoder.out"].size(1), 4);
  // Noise in one cube: it changes what is rebuilt when that cube is visible, and only then.
  for (const bool visible : {true, false}) {
    const std::int64_t token =
        (visible ? mask.visible : mask.hidden)[0][0].item<std::int64_t>();  // of the first slot
    const Tensor noisy = clips.clone();
    noisy.narrow(2, 0, 2).narrow(3, token / 2 * 4, 4).narrow(4, token % 2 * 4, 4).add_(1.0);
    EXPECT_EQ(torch::equal(net->forward(noisy, mask), rebuilt), !visible);
  }
}

}  // namespace
}  // namespace mien::learn::videomae_pretrain_test
