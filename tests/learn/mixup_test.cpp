// Mixup and CutMix against the official targets, boxes, clips and losses, and the draws.
#include "learn/data/mixup.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/files.h"
#include "learn/golden.h"
#include "learn/losses/still_losses.h"

namespace mien::learn::mixup_test {
namespace {

using test::golden_path;
using test::read_golden;
using test::relative_error;
using torch::Tensor;

constexpr double kTolerance = 1e-6;

nlohmann::json golden_json(const std::string& name) {
  return nlohmann::json::parse(core::read_text_file(golden_path("mixup/" + name)).value());
}

TEST(Mixup, GoldenTargets) {
  SKIP_WITHOUT_GOLDEN("mixup");
  const auto json = golden_json("targets.json");
  const Tensor labels = torch::tensor(json["labels"].get<std::vector<std::int64_t>>());
  const auto classes = json["num_classes"].get<std::int64_t>();
  std::size_t cases = 0;
  for (const auto& item : json["cases"]) {
    MixDraw draw;
    draw.share = item["lam"];
    const double smoothing = item["smoothing"];
    const Tensor mine = mix_targets(smooth_targets(labels, classes, smoothing), draw);
    std::vector<float> values;
    for (const auto& row : item["target"]) {
      for (const auto& value : row) values.push_back(value.get<float>());
    }
    EXPECT_LT(relative_error(mine, torch::tensor(values)), kTolerance)
        << draw.share << " " << smoothing;
    // The same labels as distributions give the same.
    const Tensor soft = smooth_targets(torch::one_hot(labels, classes), classes, smoothing);
    EXPECT_TRUE(torch::equal(mix_targets(soft, draw), mine));
    ++cases;
  }
  EXPECT_EQ(cases, 10U);
}

TEST(Mixup, GoldenBoxes) {
  SKIP_WITHOUT_GOLDEN("mixup");
  std::size_t boxes = 0;
  const nlohmann::json config = golden_json("config.json");
  for (const auto& item : config["boxes"]) {
    const MixDraw draw = cutmix_draw(item["H"], item["W"], item["lam"], item["cy"], item["cx"]);
    EXPECT_TRUE(draw.cutmix);
    EXPECT_EQ(draw.box.top, item["yl"].get<std::int64_t>()) << item;
    EXPECT_EQ(draw.box.bottom, item["yh"].get<std::int64_t>()) << item;
    EXPECT_EQ(draw.box.left, item["xl"].get<std::int64_t>()) << item;
    EXPECT_EQ(draw.box.right, item["xh"].get<std::int64_t>()) << item;
    EXPECT_NEAR(draw.share, item["lam_corrected"].get<double>(), 1e-12) << item;
    ++boxes;
  }
  EXPECT_EQ(boxes, 20U);
}

TEST(Mixup, GoldenClipsTargetsAndLosses) {
  SKIP_WITHOUT_GOLDEN("mixup");
  const auto config = golden_json("config.json");
  const auto inputs = read_golden("mixup/inputs.safetensors");
  const auto expected = read_golden("mixup/outputs.safetensors");
  const auto classes = config["num_classes"].get<std::int64_t>();
  const double smoothing = config["label_smoothing"];
  const Tensor clips = inputs.at("x");
  const Tensor labels = inputs.at("labels");
  const Tensor logits = expected.at("logits");
  const Tensor weight = torch::ones({clips.size(0)});
  const Tensor untouched = clips.clone();
  const auto losses = config["losses"]["soft_target_ce"].get<std::vector<double>>();
  ASSERT_EQ(config["applications"].size(), losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto& item = config["applications"][i];
    MixDraw draw;
    draw.share = item["lam"];
    if (item["mode"] == "cutmix") {
      draw = cutmix_draw(clips.size(3), clips.size(4), draw.share, item["cy"], item["cx"]);
    }
    const std::string name = "apply" + std::to_string(i);
    EXPECT_LT(relative_error(mix_clips(clips, draw), expected.at(name + ".x")), kTolerance) << name;
    const Tensor target = mix_targets(smooth_targets(labels, classes, smoothing), draw);
    EXPECT_LT(relative_error(target, expected.at(name + ".target")), kTolerance) << name;
    EXPECT_NEAR(soft_cross_entropy(logits, target, weight).item<double>(), losses[i], 1e-5) << name;
  }
  EXPECT_TRUE(torch::equal(clips, untouched));
  const Tensor hard = smooth_targets(labels, classes, 0.0);
  EXPECT_NEAR(soft_cross_entropy(logits, hard, weight, 0.1).item<double>(),
              config["losses"]["label_smoothing_ce_0_1"].get<double>(), 1e-5);
  EXPECT_NEAR(soft_cross_entropy(logits, hard, weight).item<double>(),
              config["losses"]["cross_entropy"].get<double>(), 1e-5);
}

TEST(Mixup, PartnersByHand) {
  // Clips of one frame of 2 x 2 pixels with the levels 0, 1, 2.
  const Tensor clips =
      torch::arange(3, torch::kFloat).view({3, 1, 1, 1, 1}).expand({3, 3, 1, 2, 2});
  MixDraw draw;
  draw.share = 0.75;
  const Tensor blended = mix_clips(clips, draw);
  EXPECT_TRUE(torch::allclose(blended.flatten(1).mean(1), torch::tensor({0.5F, 1.0F, 1.5F})));
  draw.cutmix = true;
  draw.box = {.top = 0, .bottom = 1, .left = 0, .right = 1};
  const Tensor cut = mix_clips(clips, draw);
  EXPECT_EQ(cut[0][2][0][0][0].item<float>(), 2.0F);
  EXPECT_EQ(cut[0][2][0][0][1].item<float>(), 0.0F);
  EXPECT_EQ(cut[2][0][0][0][0].item<float>(), 0.0F);
  EXPECT_EQ(cut[2][0][0][1][1].item<float>(), 2.0F);
  EXPECT_TRUE(torch::equal(cut[1], clips[1]));
  draw.share = 1.0;
  EXPECT_TRUE(torch::equal(mix_clips(clips, draw), clips));
  const Tensor soft = torch::tensor({{0.5F, 0.5F}});
  EXPECT_TRUE(torch::allclose(smooth_targets(soft, 2, 0.1), soft));
}

TEST(Mixup, DrawsAreAFunctionOfSeedAndStep) {
  const MixOptions options;
  for (std::int64_t step = 0; step < 50; ++step) {
    const MixDraw a = draw_mix(options, 3, step, 112, 96);
    const MixDraw b = draw_mix(options, 3, step, 112, 96);
    EXPECT_EQ(a.share, b.share);
    EXPECT_EQ(a.cutmix, b.cutmix);
    EXPECT_EQ(a.box.area(), b.box.area());
    EXPECT_EQ(a.box.left, b.box.left);
    EXPECT_NE(a.share, draw_mix(options, 4, step, 112, 96).share);
    ASSERT_TRUE(a.share >= 0.0 && a.share <= 1.0);
    ASSERT_TRUE(a.box.top >= 0 && a.box.top <= a.box.bottom && a.box.bottom <= 112);
    ASSERT_TRUE(a.box.left >= 0 && a.box.left <= a.box.right && a.box.right <= 96);
  }
}

TEST(Mixup, DrawsFollowTheOptions) {
  const auto count = [](const MixOptions& options) {
    int mixed = 0;
    int cut = 0;
    for (std::int64_t step = 0; step < 4000; ++step) {
      const MixDraw draw = draw_mix(options, 1, step, 64, 64);
      mixed += draw.share < 1.0 ? 1 : 0;
      cut += draw.cutmix ? 1 : 0;
    }
    return std::pair{mixed, cut};
  };
  // A box that rounds to nothing mixes nothing, so that a few of 4000 may be missing.
  EXPECT_GT(count({}).first, 3900);
  EXPECT_NEAR(count({}).second, 2000, 150);
  EXPECT_EQ(count({.cutmix_alpha = 0.0}).second, 0);
  EXPECT_EQ(count({.mixup_alpha = 0.0}).second, 4000);
  EXPECT_NEAR(count({.cutmix_alpha = 0.0, .probability = 0.25}).first, 1000, 130);
  EXPECT_EQ(count({.mixup_alpha = 0.0, .cutmix_alpha = 0.0}).first, 0);
  EXPECT_EQ(count({.probability = 0.0}).first, 0);
}

TEST(Mixup, BetaDrawsHaveTheirDistribution) {
  // P(X < 0.1) of Beta(a, a), integrated numerically; variance 1 / (4 (2 a + 1)).
  struct Case {
    double alpha, below_tenth;
  };
  for (const Case& c : {Case{0.8, 0.131806}, Case{1.0, 0.1}, Case{3.0, 0.00856}}) {
    Rng rng(17);
    constexpr int kDraws = 40000;
    double sum = 0.0;
    double square = 0.0;
    int below = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = draw_beta(c.alpha, rng);
      ASSERT_TRUE(x >= 0.0 && x <= 1.0);
      sum += x;
      square += (x - 0.5) * (x - 0.5);
      below += x < 0.1 ? 1 : 0;
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.01) << c.alpha;
    EXPECT_NEAR(square / kDraws, 0.25 / (2.0 * c.alpha + 1.0), 0.002) << c.alpha;
    const double deviation = std::sqrt(c.below_tenth * (1.0 - c.below_tenth) / kDraws);
    EXPECT_NEAR(static_cast<double>(below) / kDraws, c.below_tenth, 4.0 * deviation) << c.alpha;
  }
  // A small alpha is nearly a coin, not a NaN.
  Rng rng(18);
  int extreme = 0;
  for (int i = 0; i < 100; ++i) {
    const double x = draw_beta(0.001, rng);
    extreme += (x >= 0.0 && x < 0.01) || (x > 0.99 && x <= 1.0) ? 1 : 0;
  }
  EXPECT_GT(extreme, 95);
}

}  // namespace
}  // namespace mien::learn::mixup_test
