// Schedules and parameter groups against the tables of the official code.
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "learn/golden.h"
#include "learn/optim/ema.h"
#include "learn/optim/param_groups.h"
#include "learn/optim/schedule.h"

namespace mien::learn::test {
namespace {

using torch::Tensor;

nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(core::read_text_file(golden_path(name)).value());
}

TEST(CosineSchedule, GoldenTables) {
  SKIP_WITHOUT_GOLDEN("cosine_schedule");
  std::size_t cases = 0;
  for (const auto& item : read_json("cosine_schedule/schedules.json")) {
    const auto& args = item["args"];
    const auto steps_per_epoch = args["niter_per_ep"].get<std::int64_t>();
    CosineSchedule schedule{.base = args["base_value"], .final = args["final_value"]};
    schedule.total_steps = args["epochs"].get<std::int64_t>() * steps_per_epoch;
    const auto warmup_epochs = args.value("warmup_epochs", std::int64_t{0});
    schedule.warmup_steps = warmup_epochs * steps_per_epoch;
    if (warmup_epochs > 0 && args.value("warmup_steps", std::int64_t{-1}) > 0) {
      schedule.warmup_steps = args["warmup_steps"];
    }
    schedule.warmup_start = args.value("start_warmup_value", 0.0);
    const auto values = item["values"].get<std::vector<double>>();
    ASSERT_EQ(item["n"].get<std::size_t>(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(schedule.at(static_cast<std::int64_t>(i)), values[i],
                  1e-12 + 1e-9 * std::abs(values[i]))
          << "case " << cases << " step " << i;
    }
    ++cases;
  }
  EXPECT_EQ(cases, read_json("cosine_schedule/config.json")["count"].get<std::size_t>());
}

TEST(ParamGroups, GoldenLayerDecay) {
  SKIP_WITHOUT_GOLDEN("layer_decay");
  const auto config = read_json("layer_decay/config.json");
  std::size_t checked = 0;
  for (const auto& file : config["files"]) {
    const auto table = read_json("layer_decay/" + file.get<std::string>());
    DecayRule rule;
    rule.weight_decay = table["weight_decay"];
    rule.layer_decay = table["layer_decay"];
    rule.depth = config["depth"];
    for (const auto& name : table["no_weight_decay_names"]) rule.no_weight_decay.insert(name);
    for (const auto& [name, expected] : table["per_parameter"].items()) {
      if (expected == "frozen") {
        EXPECT_FALSE(s2d_video_stage_trains(name)) << name;
        continue;
      }
      // A matrix unless the table says that the name or the rank excuses it from decay.
      const bool vector = expected["weight_decay"].get<double>() == 0.0;
      const ParamSetting mine = setting_of(name, vector ? 1 : 2, rule);
      EXPECT_NEAR(mine.lr_scale, expected["lr_scale"].get<double>(), 1e-9) << file << " " << name;
      EXPECT_EQ(mine.weight_decay, expected["weight_decay"].get<double>()) << file << " " << name;
      if (!expected["layer_id"].is_null()) {
        EXPECT_EQ(mine.layer_id.value_or(-1), expected["layer_id"].get<int>())
            << file << " " << name;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 100U);
}

TEST(ParamGroups, NamesThatNeverDecay) {
  const DecayRule rule{.weight_decay = 0.05, .no_weight_decay = {"pos_embed"}};
  EXPECT_EQ(setting_of("pos_embed", 3, rule).weight_decay, 0.0);
  EXPECT_EQ(setting_of("blocks.0.mlp.fc1.bias", 2, rule).weight_decay, 0.0);
  EXPECT_EQ(setting_of("norm.weight", 1, rule).weight_decay, 0.0);
  EXPECT_EQ(setting_of("blocks.0.mlp.fc1.weight", 2, rule).weight_decay, 0.05);
}

// Two layers, three of their parameters in two groups; one is frozen.
struct Twin {
  torch::nn::Linear first{5, 7}, second{7, 3};

  std::vector<torch::optim::OptimizerParamGroup> groups() {
    second->bias.set_requires_grad(false);
    auto decayed = std::make_unique<torch::optim::AdamWOptions>(0.05);
    decayed->weight_decay(0.3);
    auto plain = std::make_unique<torch::optim::AdamWOptions>(0.02);
    plain->weight_decay(0.0).betas({0.8, 0.95});
    return {{{first->weight, second->weight}, std::move(decayed)},
            {{first->bias, second->bias}, std::move(plain)}};
  }
  Tensor loss(const Tensor& x) { return second(torch::gelu(first(x))).square().sum(); }
};

TEST(AdamW, StepsAsLibTorchDoes) {
  torch::manual_seed(41);
  Twin ours, theirs;
  {
    const torch::NoGradGuard no_grad;
    theirs.first->weight.copy_(ours.first->weight);
    theirs.first->bias.copy_(ours.first->bias);
    theirs.second->weight.copy_(ours.second->weight);
    theirs.second->bias.copy_(ours.second->bias);
  }
  AdamW one(ours.groups(), {});
  torch::optim::AdamW other(theirs.groups(), {});
  for (int i = 0; i < 20; ++i) {
    const Tensor x = torch::randn({4, 5});
    one.zero_grad();
    other.zero_grad();
    ours.loss(x).backward();
    theirs.loss(x).backward();
    one.step();
    other.step();
  }
  EXPECT_TRUE(torch::allclose(ours.first->weight, theirs.first->weight, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours.first->bias, theirs.first->bias, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(ours.second->weight, theirs.second->weight, 1e-4, 1e-5));
  EXPECT_TRUE(torch::equal(ours.second->bias, theirs.second->bias));
  // The state is LibTorch's, too: either goes on where the other stopped.
  const auto& kept = static_cast<const torch::optim::AdamWParamState&>(
      *one.state().at(adamw_state_key(ours.first->weight)));
  EXPECT_EQ(kept.step(), 20);
  EXPECT_EQ(kept.exp_avg().sizes(), ours.first->weight.sizes());
}

TEST(AdamW, OtherTypesTakeLibTorchsSteps) {
  const auto stepped = [](auto optimizer_of) {
    const Tensor x = torch::tensor({1.0, -2.0}, torch::kDouble).requires_grad_();
    auto optimizer = optimizer_of(std::vector<Tensor>{x});
    x.square().sum().backward();
    optimizer.step();
    return x.detach();
  };
  const auto options = torch::optim::AdamWOptions(0.1);
  EXPECT_TRUE(torch::equal(
      stepped([&](std::vector<Tensor> x) { return AdamW(std::move(x), options); }),
      stepped([&](std::vector<Tensor> x) { return torch::optim::AdamW(std::move(x), options); })));
}

TEST(Ema, FollowsByHand) {
  torch::nn::Linear net(1, 1);
  const torch::NoGradGuard no_grad;
  net->weight.fill_(1.0);
  Ema ema(*net, 0.5);
  net->weight.fill_(2.0);
  ema.update(*net, 1000);  // far from the start: the full decay
  EXPECT_FLOAT_EQ(ema.state()["weight"].item<float>(), 1.5F);
  ema.swap(*net);
  EXPECT_FLOAT_EQ(net->weight.item<float>(), 1.5F);
  ema.swap(*net);
  EXPECT_FLOAT_EQ(net->weight.item<float>(), 2.0F);
}

}  // namespace
}  // namespace mien::learn::test
