// AdaTosk learns: its loss, its stages, its figures.
#include "learn/models/adatosk_net.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "learn/adatosk_case.h"
#include "learn/losses/still_losses.h"

namespace mien::learn::adatosk_test {
namespace {

using Branches = AdaToskTraining::Branches;

core::ModelConfig model_of(const core::AdaToskConfig& sizes) {
  core::ModelConfig model;
  model.arch = core::Arch::kAdaTosk;
  model.adatosk = sizes;
  return model;
}

std::unique_ptr<ClipNet> net_of(const core::AdaToskConfig& sizes, const AdaToskTraining& training) {
  torch::manual_seed(29);
  return make_clip_net(model_of(sizes), {.adatosk = training}).value();
}

AdaToskTraining joint() {
  AdaToskTraining training;
  training.hard_ratio = 0.5;
  training.rec_weight = 1.0;
  return training;
}

// Eight clips of four classes, each with a brightness and a slope of its own.
ClipNet::Lesson easy_lesson(std::uint64_t seed) {
  torch::manual_seed(31);
  const Tensor ramp = torch::linspace(-1.0, 1.0, 8);
  const Tensor time = torch::linspace(1.0, 1.5, 8).view({8, 1, 1});
  std::vector<Tensor> clips;
  const Tensor target = torch::zeros({8, 5});
  for (std::int64_t i = 0; i < 8; ++i) {
    const std::int64_t label = i % 4;
    const Tensor slope = label % 2 == 0 ? ramp.view({1, 1, 8}) : ramp.view({1, 8, 1});
    const Tensor clip =
        slope * time + 0.7 * (static_cast<double>(label) - 1.5) + torch::randn({8, 8, 8}) * 0.05;
    clips.push_back(clip.unsqueeze(0).expand({3, -1, -1, -1}));
    target[i][label].fill_(1.0);
  }
  return {.clips = torch::stack(clips), .target = target, .seed = seed};
}

double loss_of(ClipNet& net) {
  const torch::NoGradGuard no_grad;
  net.module().eval();
  const double loss = net.own_loss(easy_lesson(5)).item<double>();
  net.module().train();
  return loss;
}

double entropy_of(ClipNet& net) {
  const torch::NoGradGuard no_grad;
  const ClipNet::Lesson lesson = easy_lesson(5);
  net.module().eval();
  const Tensor logits = net.forward(lesson.clips).logits;
  net.module().train();
  return soft_cross_entropy(logits, lesson.target, torch::ones({8})).item<double>();
}

void learn_for(ClipNet& net, int steps) {
  net.module().train();
  torch::optim::AdamW optimizer(net.module().parameters(), torch::optim::AdamWOptions(3e-3));
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    net.own_loss(easy_lesson(100 + static_cast<std::uint64_t>(step))).backward();
    optimizer.step();
  }
}

TEST(AdaToskNet, JointTrainingLowersItsLosses) {
  for (const auto branches : {Branches::kParallel, Branches::kShared}) {
    for (const bool stem : {false, true}) {
      AdaToskTraining training = joint();
      training.branches = branches;
      const auto net = net_of(little_config(stem), training);
      const double loss = loss_of(*net);
      const double entropy = entropy_of(*net);
      EXPECT_NEAR(entropy, std::log(5.0), 0.05);  // it begins with even odds
      learn_for(*net, 120);
      EXPECT_LT(loss_of(*net), loss - 0.5) << "stem " << stem;
      // In shared branches half of the tokens are left out here, and none is hidden.
      if (!stem || branches == Branches::kParallel) {
        EXPECT_LT(entropy_of(*net), entropy - 0.3) << "stem " << stem;
      }
    }
  }
}

// The classification of parallel branches sees the clip whole: their loss is that of training
// without hard masks plus a reconstruction, which alone depends on what is hidden.
TEST(AdaToskNet, ParallelBranchesClassifyTheWholeClip) {
  const auto loss_with = [&](const AdaToskTraining& training, std::uint64_t seed) {
    const auto net = net_of(little_config(), training);
    net->module().eval();
    const torch::NoGradGuard no_grad;
    return net->own_loss(easy_lesson(seed)).item<double>();
  };
  AdaToskTraining both = joint();
  both.train_budget = 0.5;
  AdaToskTraining rebuilding = both;
  rebuilding.cls_weight = 0.0;
  AdaToskTraining classifying;
  classifying.train_budget = 0.5;
  // The decoder begins behind all other layers, so the three nets share their first weights.
  const double classes = loss_with(classifying, 3);
  EXPECT_EQ(classes, loss_with(classifying, 4));
  for (const std::uint64_t seed : {3, 4}) {
    EXPECT_NEAR(loss_with(both, seed), classes + loss_with(rebuilding, seed), 1e-5);
  }
  both.train_budget = 1.0;
  AdaToskTraining shared = both;
  shared.branches = Branches::kShared;
  EXPECT_GT(std::abs(loss_with(shared, 3) - loss_with(both, 3)), 1e-4);
}

// Each batch its own share of the tokens, a function of its seed alone.
TEST(AdaToskNet, BudgetsMayBeDrawn) {
  AdaToskTraining training;
  training.train_budget = 0.5;
  const auto loss_with = [&](std::uint64_t seed) {
    const auto net = net_of(little_config(), training);
    net->module().eval();
    const torch::NoGradGuard no_grad;
    return net->own_loss(easy_lesson(seed)).item<double>();
  };
  EXPECT_EQ(loss_with(1), loss_with(2));
  training.train_budget_low = 0.1;
  std::set<double> losses;
  for (std::uint64_t seed = 0; seed < 12; ++seed) losses.insert(loss_with(seed));
  EXPECT_EQ(loss_with(3), loss_with(3));
  EXPECT_GE(losses.size(), 4U);  // 2 to 8 of 16 tokens
  EXPECT_LE(losses.size(), 7U);
  // A range of one is no range.
  training.train_budget_low = 0.5;
  const double fixed = loss_with(1);
  training.train_budget_low = 0.0;
  EXPECT_EQ(loss_with(1), fixed);
}

TEST(AdaToskNet, RebuildsBetterWithoutAnyLabel) {
  AdaToskTraining training = joint();
  training.cls_weight = 0.0;
  const auto net = net_of(little_config(), training);
  EXPECT_FALSE(net->classifies());
  const double loss = loss_of(*net);
  learn_for(*net, 120);
  EXPECT_LT(loss_of(*net), 0.9 * loss);
  // Labels have no part in it, nor does the mask.
  ClipNet::Lesson lesson = easy_lesson(5);
  const Tensor with = net->own_loss(lesson);
  lesson.target = torch::zeros({8, 5});
  EXPECT_TRUE(torch::equal(net->own_loss(lesson), with));
  with.backward();
  for (const auto& item : net->module().named_parameters()) {
    const bool idle = item.key().starts_with("mask.") || item.key().starts_with("aux_head.") ||
                      item.key().starts_with("head.") || item.key().starts_with("fc_norm.");
    EXPECT_EQ(item.value().grad().defined() && item.value().grad().abs().max().item<double>() > 0.0,
              !idle)
        << item.key();
  }
}

TEST(AdaToskNet, EveryParameterLearnsInJointTraining) {
  const auto net = net_of(little_config(true), joint());
  net->module().train();
  net->own_loss(easy_lesson(1)).backward();
  for (const auto& item : net->module().named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0.0) << item.key();
  }
}

TEST(AdaToskNet, LossIsTheSumOfItsParts) {
  AdaToskTraining parts;  // of training without hidden tokens: deterministic
  parts.cls_weight = 0.7;
  parts.aux_weight = 0.0;
  parts.budget_weight = 0.0;
  const auto value = [&](const AdaToskTraining& training) {
    const auto net = net_of(little_config(), training);
    net->module().eval();
    const torch::NoGradGuard no_grad;
    return net->own_loss(easy_lesson(1)).item<double>();
  };
  const double entropy = value(parts);
  const auto reference = net_of(little_config(), parts);
  reference->module().eval();
  const torch::NoGradGuard no_grad;
  const ClipNet::Lesson lesson = easy_lesson(1);
  auto& module = dynamic_cast<AdaToskImpl&>(reference->module());
  const AdaToskImpl::Output out = module.forward(lesson.clips);
  const Tensor alike = torch::ones({8});
  const double expected = 0.7 * soft_cross_entropy(out.logits, lesson.target, alike).item<double>();
  EXPECT_NEAR(entropy, expected, 1e-5);
  parts.aux_weight = 2.0;
  EXPECT_NEAR(value(parts) - entropy,
              2.0 * soft_cross_entropy(out.aux_logits, lesson.target, alike).item<double>(), 1e-4);
  parts.aux_weight = 0.0;
  parts.budget_weight = 3.0;
  const double mean = out.log_mask.exp().mean().item<double>();
  EXPECT_NEAR(value(parts) - entropy, 3.0 * (mean - 0.5) * (mean - 0.5), 1e-5);
}

TEST(AdaToskNet, TheBudgetTermMovesTheMask) {
  core::AdaToskConfig sizes = little_config();
  AdaToskTraining training;
  training.budget_weight = 20.0;
  for (const double budget : {0.2, 0.8}) {
    sizes.budget = budget;
    const auto net = net_of(sizes, training);
    std::vector<Tensor> factors;  // their scales and offsets decide how much there is of the mask
    for (const auto& item : net->module().named_parameters()) {
      const bool factor =
          item.key().starts_with("mask.agnostic.") || item.key().starts_with("mask.semantic.");
      if (factor) factors.push_back(item.value());
    }
    torch::optim::AdamW optimizer(factors, torch::optim::AdamWOptions(0.05));
    net->module().train();
    for (int step = 0; step < 150; ++step) {
      optimizer.zero_grad();
      net->own_loss(easy_lesson(1)).backward();
      optimizer.step();
    }
    net->module().eval();
    const torch::NoGradGuard no_grad;
    EXPECT_NEAR(net->forward(easy_lesson(1).clips).mask.mean().item<double>(), budget, 0.12);
  }
}

TEST(AdaToskNet, AnswersAtItsBudget) {
  core::AdaToskConfig sizes = little_config();
  const auto half = net_of(sizes, {});
  sizes.budget = 1.0;
  const auto whole = net_of(sizes, {});
  half->module().eval();
  whole->module().eval();
  const torch::NoGradGuard no_grad;
  const Tensor clips = noise_clips(2);
  const ClipNet::Output at_half = half->forward(clips);
  const ClipNet::Output at_one = whole->forward(clips);
  EXPECT_FALSE(torch::equal(at_half.logits, at_one.logits));
  auto& module = dynamic_cast<AdaToskImpl&>(half->module());
  EXPECT_TRUE(torch::equal(at_half.logits, module.forward(clips, {.budget = 0.5}).logits));
  // The mask is what it is, whatever is left out.
  ASSERT_EQ(at_half.mask.sizes(), (std::vector<std::int64_t>{2}));
  EXPECT_TRUE(torch::equal(at_half.mask, at_one.mask));
  EXPECT_TRUE(((at_half.mask > 0.0) & (at_half.mask < 1.0)).all().item<bool>());
}

TEST(AdaToskNet, HardMasksFollowTheSeed) {
  const auto net = net_of(little_config(), joint());
  net->module().eval();
  const torch::NoGradGuard no_grad;
  const auto loss = [&](std::uint64_t seed) {
    return net->own_loss(easy_lesson(seed)).item<double>();
  };
  EXPECT_EQ(loss(3), loss(3));
  EXPECT_NE(loss(3), loss(4));
}

}  // namespace
}  // namespace mien::learn::adatosk_test
