// Emotion anchors against the official code: the recorded sequence of updates and forwards.
#include "learn/losses/sdl.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "learn/golden.h"

namespace mien::learn::sdl_test {
namespace {

using test::golden_path;
using test::read_golden;
using test::relative_error;
using torch::Tensor;

constexpr double kTolerance = 1e-5;

nlohmann::json golden_config() {
  return nlohmann::json::parse(core::read_text_file(golden_path("sdl/config.json")).value());
}

EmotionAnchors golden_anchors(const nlohmann::json& config) {
  const auto& sizes = config["constructor"];
  EmotionAnchors anchors(SdlOptions{.classes = sizes["num_class"],
                                    .dim = sizes["dim"],
                                    .size = sizes["size"],
                                    .nearest = sizes["k"]});
  const auto file = core::SafetensorsFile::open(golden_path("sdl/weights.safetensors")).value();
  const auto report = load_state(*anchors, file.tensors(), true);
  EXPECT_TRUE(report.ok() && report->unexpected.empty());
  return anchors;
}

void check_forward(const EmotionAnchors& anchors, const std::string& op, const Tensor& feature,
                   const std::map<std::string, Tensor>& expected) {
  const Tensor soft = anchors->soft_targets(feature);
  EXPECT_FALSE(soft.requires_grad());
  EXPECT_LT(relative_error(soft, expected.at(op + ".soft")), kTolerance) << op;
  const auto similarity = expected.find(op + ".topk_sim.sample0");
  if (similarity == expected.end()) return;  // the last forward records none
  const NearestAnchors best = anchors->nearest(feature);
  EXPECT_LT(relative_error(best.similarity[0], similarity->second), kTolerance) << op;
  EXPECT_TRUE(torch::equal(best.slot[0], expected.at(op + ".topk_idx.sample0"))) << op;
}

TEST(EmotionAnchors, GoldenSequence) {
  SKIP_WITHOUT_GOLDEN("sdl");
  const auto config = golden_config();
  EmotionAnchors anchors = golden_anchors(config);
  const auto inputs = read_golden("sdl/inputs.safetensors");
  const auto expected = read_golden("sdl/outputs.safetensors");
  EXPECT_TRUE(torch::equal(anchors->queue, inputs.at("Queue0")));
  int forwards = 0;
  int updates = 0;
  for (const auto& item : config["op_sequence"]) {
    const auto op = item.get<std::string>();
    const Tensor& feature = inputs.at(op + ".x");
    if (op.starts_with("forward")) {
      check_forward(anchors, op, feature, expected);
      ++forwards;
      continue;
    }
    const Status status = anchors->update(feature, inputs.at(op + ".logits").requires_grad_(),
                                          inputs.at(op + ".label"));
    ASSERT_TRUE(status.ok()) << status.error().to_string();
    EXPECT_LT(relative_error(anchors->queue.sum(2), expected.at(op + ".Queue.sum_per_slot")),
              kTolerance)
        << op;
    EXPECT_LT(relative_error(anchors->probe, expected.at(op + ".Probe")), kTolerance) << op;
    ++updates;
  }
  EXPECT_EQ(forwards, 6);
  EXPECT_EQ(updates, 12);
  EXPECT_TRUE(torch::equal(anchors->queue, expected.at("Queue_final")));
  EXPECT_LT(relative_error(anchors->probe, expected.at("Probe_final")), kTolerance);
  EXPECT_FALSE(anchors->probe.requires_grad());

  const Tensor logits = inputs.at("forward_final.logits").clone().requires_grad_();
  const Tensor loss = anchors->loss(inputs.at("forward_final.x"), logits);
  EXPECT_LT(relative_error(loss, expected.at("bce_weight1.loss")), kTolerance);
  loss.backward();
  EXPECT_LT(relative_error(logits.grad(), expected.at("bce_weight1.grad_logits")), kTolerance);
  for (const auto& [epoch, value] : config["loss_values_by_epoch"]["BCEWithLogitsLoss"].items()) {
    EXPECT_NEAR(sdl_weight(std::stoi(epoch)) * loss.item<double>(), value.get<double>(), 1e-5)
        << epoch;
  }
}

TEST(EmotionAnchors, WeightOfEveryEpoch) {
  SKIP_WITHOUT_GOLDEN("sdl");
  const auto config = golden_config();
  const auto weights = config["weight_by_epoch"]["BCEWithLogitsLoss"].get<std::vector<double>>();
  ASSERT_EQ(weights.size(), 100U);
  for (std::size_t epoch = 0; epoch < weights.size(); ++epoch) {
    EXPECT_EQ(sdl_weight(static_cast<std::int64_t>(epoch)), weights[epoch]) << epoch;
  }
}

TEST(EmotionAnchors, EpochsThatFeedTheQueues) {
  std::vector<int> epochs;
  for (int epoch = 0; epoch < 100; ++epoch) {
    if (sdl_updates_at(epoch, 40)) epochs.push_back(epoch);
    EXPECT_FALSE(sdl_updates_at(epoch, 100));
    EXPECT_EQ(sdl_updates_at(epoch, 1), epoch > 20);
    EXPECT_FALSE(sdl_updates_at(epoch, 0));
  }
  EXPECT_EQ(epochs, (std::vector<int>{40, 80}));
}

// Two classes, two anchors each, worked by hand.
TEST(EmotionAnchors, QueueIsFirstInFirstOut) {
  EmotionAnchors anchors(SdlOptions{.classes = 2, .dim = 2, .size = 2, .nearest = 1});
  const Tensor feature = torch::tensor({{3.0F, 0.0F}, {0.0F, 2.0F}, {1.0F, 1.0F}});
  const Tensor logits = torch::tensor({{0.0F, 0.0F}, {100.0F, 0.0F}, {0.0F, 100.0F}});
  const Tensor second_class = anchors->queue[1].clone();
  ASSERT_TRUE(anchors->update(feature, logits, torch::zeros({3}, torch::kLong)).ok());
  // Three went into a queue of two: the first is gone, the newest stands last.
  EXPECT_TRUE(torch::equal(anchors->queue[0], feature.slice(0, 1)));
  EXPECT_TRUE(torch::allclose(anchors->probe[0], torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}})));
  EXPECT_TRUE(torch::equal(anchors->queue[1], second_class));

  const Tensor other = torch::tensor({{-1.0F, 0.0F}, {-1.0F, 0.0F}});
  const Tensor even = torch::zeros({2, 2});
  ASSERT_TRUE(anchors->update(other, even, torch::ones({2}, torch::kLong)).ok());
  // (0, 1) is nearest to (0, 2) with 1 in class 0 and at a right angle to class 1.
  const Tensor soft = anchors->soft_targets(torch::tensor({{0.0F, 5.0F}}));
  EXPECT_TRUE(torch::allclose(soft, torch::tensor({{1.0F, 0.0F}})));
  // (-1, 1) has cosine sqrt(1/2) with both its nearest: (1, 0) and (1/2, 1/2) count the same.
  const Tensor between = anchors->soft_targets(torch::tensor({{-1.0F, 1.0F}}));
  EXPECT_TRUE(torch::allclose(between, torch::tensor({{0.75F, 0.25F}})));
}

TEST(EmotionAnchors, RefusesWhatDoesNotFit) {
  EmotionAnchors anchors(SdlOptions{.classes = 3, .dim = 4, .size = 2});
  const Tensor before = anchors->queue.clone();
  const Tensor feature = torch::ones({2, 4});
  const Tensor logits = torch::zeros({2, 3});
  const auto refused = [&](const Tensor& f, const Tensor& l, const Tensor& labels) {
    const Status status = anchors->update(f, l, labels);
    return !status.ok() && status.error().code == ErrorCode::kInvalidArgument;
  };
  const auto labels = [](std::int64_t a, std::int64_t b) { return torch::tensor({a, b}); };
  EXPECT_TRUE(refused(feature, logits, labels(0, 3)));
  EXPECT_TRUE(refused(feature, logits, labels(-1, 0)));
  EXPECT_TRUE(refused(feature, logits, torch::zeros({3}, torch::kLong)));
  EXPECT_TRUE(refused(torch::ones({2, 5}), logits, labels(0, 1)));
  EXPECT_TRUE(refused(feature, torch::zeros({2, 2}), labels(0, 1)));
  EXPECT_TRUE(torch::equal(anchors->queue, before));
  EXPECT_FALSE(refused(feature, logits, labels(0, 2)));
}

TEST(EmotionAnchors, SeedDecidesTheStartAndStateTheRest) {
  const SdlOptions options{.classes = 3, .dim = 8, .size = 4, .seed = 7};
  torch::manual_seed(1);
  EmotionAnchors a(options);
  torch::manual_seed(2);
  EmotionAnchors b(options);
  EXPECT_TRUE(torch::equal(a->queue, b->queue));
  EXPECT_TRUE(torch::equal(a->probe, b->probe));
  EmotionAnchors other(SdlOptions{.classes = 3, .dim = 8, .size = 4, .seed = 8});
  EXPECT_FALSE(torch::equal(a->queue, other->queue));
  EXPECT_TRUE((a->queue >= 0).all().item<bool>() && (a->queue < 1).all().item<bool>());

  // What a checkpoint holds makes the copy answer alike, to the bit.
  const Tensor feature = torch::rand({5, 8});
  ASSERT_TRUE(a->update(feature, torch::randn({5, 3}), torch::tensor({0, 1, 2, 0, 1})).ok());
  core::TensorMap stored;
  for (const auto& [name, tensor] : named_state(*a)) stored[name] = to_core(tensor);
  EXPECT_EQ(stored.size(), 2U);
  ASSERT_TRUE(load_state(*other, core::views_of(stored), true).ok());
  EXPECT_TRUE(torch::equal(a->soft_targets(feature), other->soft_targets(feature)));
  EXPECT_FALSE(torch::equal(b->soft_targets(feature), other->soft_targets(feature)));
}

}  // namespace
TEST(EmotionAnchors, TheScheduleOfAHundredEpochsFitsAShortRun) {
  EXPECT_EQ(sdl_recipe_epoch(0.0, 1.0), 0);
  EXPECT_EQ(sdl_recipe_epoch(0.5, 1.0), 50);
  EXPECT_EQ(sdl_recipe_epoch(0.5, 2.0), 25);
  EXPECT_EQ(sdl_recipe_epoch(3.0, 100.0), 3);  // laid over its own hundred: as it is
  EXPECT_EQ(sdl_weight(sdl_recipe_epoch(0.29, 1.0)), 0.0);
  EXPECT_EQ(sdl_weight(sdl_recipe_epoch(0.81, 1.0)), 1.0);
}

}  // namespace mien::learn::sdl_test
