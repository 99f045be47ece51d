// VideoMAE's fine-tuned ViT against the official code: activations, gradients, training steps.
#include "learn/models/videomae.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/videomae_spec.h"
#include "learn/golden.h"
#include "learn/losses/still_losses.h"
#include "learn/optim/param_groups.h"

namespace mien::learn::videomae_test {
namespace {

using test::golden_config;
using test::golden_path;
using test::kTolerance;
using test::load_golden;
using test::read_golden;
using test::relative_error;
using torch::Tensor;

constexpr const char* kFolder = "videomae_small";

VideoMae golden_net(bool checkpoint = false) {
  VideoMae net(golden_config(kFolder).videomae, VideoMaeTrainOptions{.checkpoint = checkpoint});
  load_golden(net, kFolder);
  net->eval();
  return net;
}

Tensor golden_clips() {
  return read_golden(std::string(kFolder) + "/inputs.safetensors").at("x");
}

Tensor golden_loss(VideoMae& net, const Tensor& clips, const Tensor& target) {
  return soft_cross_entropy(net->forward(clips).logits, target, torch::ones({target.size(0)}));
}

TEST(VideoMaeParity, EveryActivation) {
  SKIP_WITHOUT_GOLDEN("videomae_small");
  VideoMae net = golden_net();
  const torch::NoGradGuard no_grad;
  Taps taps;
  const auto out = net->forward(golden_clips(), &taps);
  taps["logits"] = taps["logits_f64"] = out.logits;
  const auto expected = read_golden("videomae_small/outputs.safetensors");
  for (const auto& [name, truth] : expected) {
    ASSERT_TRUE(taps[name].defined()) << name;
    EXPECT_EQ(taps[name].sizes(), truth.sizes()) << name;
    EXPECT_LT(relative_error(taps[name], truth), kTolerance) << name;
  }
  EXPECT_GE(expected.size(), 12U);
  EXPECT_LT(relative_error(out.feature, expected.at("fc_norm")), kTolerance);
}

TEST(VideoMaeParity, StateIsTheTable) {
  SKIP_WITHOUT_GOLDEN("videomae_small");
  const core::VideoMaeConfig config = golden_config(kFolder).videomae;
  VideoMae net(config);
  const core::TensorTable table = core::videomae_table(config);
  EXPECT_TRUE(save_state(*net, table).ok());
  EXPECT_EQ(named_state(*net).size(), table.size());
}

TEST(VideoMaeParity, GradientsWithAndWithoutCheckpoints) {
  SKIP_WITHOUT_GOLDEN("videomae_small");
  const auto golden = read_golden("videomae_small/grads.safetensors");
  for (const bool checkpoint : {false, true}) {
    VideoMae net = golden_net(checkpoint);
    const Tensor loss = golden_loss(net, golden_clips(), golden.at("soft_target"));
    EXPECT_LT(relative_error(loss, golden.at("loss")), kTolerance);
    loss.backward();
    const auto parameters = net->named_parameters();
    std::size_t compared = 0;
    for (const auto& [name, truth] : golden) {
      if (!name.starts_with("grad.")) continue;
      const Tensor grad = parameters[name.substr(5)].grad();
      ASSERT_TRUE(grad.defined()) << name << " checkpoint " << checkpoint;
      // Gradients that are zero but for rounding have no relative error.
      const double scale = truth.abs().max().item<double>();
      EXPECT_LT((grad - truth).abs().max().item<double>(), 1e-3 * scale + 1e-7) << name;
      ++compared;
    }
    EXPECT_GE(compared, 30U);
  }
}

TEST(VideoMaeParity, ThreeAdamWStepsWithLayerDecay) {
  SKIP_WITHOUT_GOLDEN("videomae_small");
  VideoMae net = golden_net();
  const auto json = nlohmann::json::parse(
      core::read_text_file(golden_path("videomae_small/train_steps.json")).value());
  const Tensor clips = golden_clips();
  const Tensor target = read_golden("videomae_small/grads.safetensors").at("soft_target");
  const DecayRule rule{.layer_decay = 0.75,
                       .depth = golden_config(kFolder).videomae.depth,
                       .no_weight_decay = {"pos_embed", "cls_token"}};
  const auto groups = make_groups(*net, rule, {});
  std::size_t grouped = 0;
  for (const ParamGroup& group : groups) {
    for (const std::string& name : group.names) {
      ASSERT_TRUE(json["group_of"].contains(name)) << name;
      const auto& expected = json["group_of"][name];
      EXPECT_NEAR(group.lr_scale, expected["lr_scale"].get<double>(), 1e-9) << name;
      EXPECT_EQ(group.weight_decay, expected["weight_decay"].get<double>()) << name;
      ++grouped;
    }
  }
  EXPECT_EQ(grouped, json["group_of"].size());
  auto optimizer = make_adamw(*net, groups);
  set_learning_rate(optimizer, groups, 1e-3);
  const auto losses = json["loss_before_step_0_1_2_and_after"].get<std::vector<double>>();
  for (std::size_t step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    const Tensor loss = golden_loss(net, clips, target);
    EXPECT_NEAR(loss.item<double>(), losses[step], 2e-4) << step;
    loss.backward();
    optimizer.step();
  }
  const torch::NoGradGuard no_grad;
  EXPECT_NEAR(golden_loss(net, clips, target).item<double>(), losses[3], 1e-3);
  const Tensor logits = net->forward(clips).logits;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    const auto row = json["logits_after_3_steps"][static_cast<std::size_t>(i)];
    EXPECT_LT(relative_error(logits[i], torch::tensor(row.get<std::vector<float>>())), 1e-3);
  }
  const auto parameters = net->named_parameters();
  for (const auto& [name, norm] : json["param_after_3_steps_l2"].items()) {
    const double mine = parameters[name].detach().to(torch::kDouble).norm().item<double>();
    EXPECT_NEAR(mine, norm.get<double>(), 1e-3 * norm.get<double>() + 1e-6) << name;
  }
}

core::VideoMaeConfig little_config() {
  core::VideoMaeConfig config;
  config.img_size = 8;
  config.patch_size = 4;
  config.num_frames = 4;
  config.embed_dim = 16;
  config.depth = 3;
  config.num_heads = 2;
  config.num_classes = 5;
  return config;
}

TEST(VideoMae, StartsFromNearlyEvenOdds) {
  torch::manual_seed(1);
  VideoMae net(little_config());
  net->eval();
  const torch::NoGradGuard no_grad;
  const Tensor logits = net->forward(torch::randn({2, 3, 4, 8, 8})).logits;
  EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 5}));
  EXPECT_LT(logits.abs().max().item<double>(), 1e-3);
  EXPECT_GT(logits.abs().max().item<double>(), 0.0);
}

TEST(VideoMae, OtherClipsAreRefused) {
  VideoMae net(little_config());
  const torch::NoGradGuard no_grad;
  EXPECT_THROW(net->forward(torch::zeros({1, 3, 6, 8, 8})), c10::Error);
  EXPECT_THROW(net->forward(torch::zeros({1, 3, 4, 12, 12})), c10::Error);
  EXPECT_THROW(net->forward(torch::zeros({3, 4, 8, 8})), c10::Error);
}

TEST(VideoMae, DropPathSkipsWholeSamplesOfTheLaterBlocks) {
  torch::manual_seed(2);
  VideoMae net(little_config(), VideoMaeTrainOptions{.drop_path = 0.9, .init_scale = 1.0});
  net->train();
  const torch::NoGradGuard no_grad;
  const Tensor clip = torch::randn({1, 3, 4, 8, 8}).expand({64, -1, -1, -1, -1});
  Taps taps;
  net->forward(clip, &taps);
  // The first block never drops; of the last, most samples keep neither branch.
  EXPECT_LT(relative_error(taps["block0.out"][63], taps["block0.out"][0]), 1e-5);
  const Tensor moved = (taps["block2.out"] - taps["block1.out"]).abs().flatten(1).amax(1) > 0;
  const auto count = moved.sum().item<std::int64_t>();
  EXPECT_GT(count, 0);
  EXPECT_LT(count, 32);  // 12 of 64 expected
}

TEST(VideoMae, RenamesOfficialNames) {
  EXPECT_EQ(videomae_rename("encoder.blocks.3.attn.q_bias"), "blocks.3.attn.q_bias");
  EXPECT_EQ(videomae_rename("blocks.3.attn.q_bias"), "blocks.3.attn.q_bias");
  EXPECT_EQ(videomae_rename("fc_norm.weight"), "fc_norm.weight");
  EXPECT_EQ(videomae_rename("head.bias"), "head.bias");
  for (const char* name :
       {"mask_token", "encoder.norm.weight", "encoder.norm.bias", "decoder.blocks.0.norm1.weight",
        "decoder.head.weight", "encoder_to_decoder.weight"}) {
    EXPECT_EQ(videomae_rename(name), std::nullopt) << name;
  }
}

TEST(VideoMae, LoadsAPreTrainedEncoder) {
  SKIP_WITHOUT_GOLDEN("videomae_pretrain_small");
  core::VideoMaeConfig config;
  config.img_size = 64;
  config.embed_dim = 96;
  config.depth = 3;
  config.num_heads = 3;
  VideoMae net(config);
  const auto file =
      core::SafetensorsFile::open(golden_path("videomae_pretrain_small/weights.safetensors"))
          .value();
  core::TensorViewMap renamed;
  for (const auto& [name, view] : file.tensors()) {
    if (const auto own = videomae_rename(name)) renamed[*own] = view;
  }
  const auto report = load_state(*net, renamed, false);
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_TRUE(report->unexpected.empty()) << report->unexpected.front();
  // What fine-tuning begins anew.
  EXPECT_THAT(report->missing, ::testing::UnorderedElementsAre("fc_norm.weight", "fc_norm.bias",
                                                               "head.weight", "head.bias"));
}

}  // namespace
}  // namespace mien::learn::videomae_test
