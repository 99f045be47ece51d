// Gradient checkpointing changes memory and time, and no number.
#include "learn/models/recompute.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "learn/autocast.h"
#include "learn/models/videomae.h"

namespace mien::learn::recompute_test {
namespace {

using torch::Tensor;

TEST(Recompute, GradientsByHand) {
  const Tensor x = torch::tensor({2.0F, 3.0F}).requires_grad_();
  const Tensor weight = torch::tensor({5.0F, 7.0F}).requires_grad_();
  int runs = 0;
  const Tensor y = recompute(
      [&runs, weight](const Tensor& in) {
        ++runs;
        return in * in * weight;
      },
      x);
  EXPECT_EQ(runs, 1);
  y.sum().backward();
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({20.0F, 42.0F})));     // 2 x w
  EXPECT_TRUE(torch::equal(weight.grad(), torch::tensor({4.0F, 9.0F})));  // x^2
}

TEST(Recompute, WithoutGradientsItIsACall) {
  const torch::NoGradGuard no_grad;
  const Tensor y =
      recompute([](const Tensor& in) { return in + 1; }, torch::ones({2}).requires_grad_());
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(y.sum().item<float>(), 4.0F);
}

// The first block behind a frozen embedding.
TEST(Recompute, ParametersLearnFromAnInputWithoutGradient) {
  const Tensor weight = torch::tensor({5.0F}).requires_grad_();
  const Tensor y =
      recompute([weight](const Tensor& in) { return in * weight; }, torch::tensor({3.0F}));
  y.sum().backward();
  ASSERT_TRUE(weight.grad().defined());
  EXPECT_EQ(weight.grad().item<float>(), 3.0F);
}

TEST(Recompute, SeveralInputsAndAnOutputThatNobodyUses) {
  const Tensor a = torch::tensor({2.0F}).requires_grad_();
  const Tensor b = torch::tensor({3.0F});  // no gradient wanted
  const Piece piece = [](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{in[0] * in[1], in[0] * in[0]};
  };
  const auto out = recompute(piece, std::vector<Tensor>{a, b});
  ASSERT_EQ(out.size(), 2U);
  out[0].sum().backward();
  EXPECT_EQ(a.grad().item<float>(), 3.0F);
  EXPECT_FALSE(b.grad().defined());
}

core::VideoMaeConfig little_config() {
  core::VideoMaeConfig config;
  config.img_size = 8;
  config.patch_size = 4;
  config.num_frames = 4;
  config.embed_dim = 32;
  config.depth = 3;
  config.num_heads = 2;
  return config;
}

// The net of one seed in training mode, with drop path.
VideoMae little_net(bool checkpoint) {
  torch::manual_seed(11);
  VideoMae net(
      little_config(),
      VideoMaeTrainOptions{
          .drop_path = 0.5, .head_dropout = 0.2, .init_scale = 1.0, .checkpoint = checkpoint});
  net->train();
  return net;
}

std::map<std::string, Tensor> gradients_of(const VideoMae& net) {
  std::map<std::string, Tensor> out;
  for (const auto& item : net->named_parameters()) out[item.key()] = item.value().grad();
  return out;
}

void expect_same(const std::map<std::string, Tensor>& plain,
                 const std::map<std::string, Tensor>& again) {
  ASSERT_EQ(plain.size(), again.size());
  for (const auto& [name, truth] : plain) {
    ASSERT_TRUE(truth.defined()) << name;
    ASSERT_TRUE(again.at(name).defined()) << name;
    const double scale = truth.abs().max().item<double>();
    EXPECT_LE((again.at(name) - truth).abs().max().item<double>(), 1e-5 * scale) << name;
  }
}

struct Step {
  std::map<std::string, Tensor> gradients;
  double next_draw = 0.0;
};

enum class Backward { kInsideTheScope, kOutsideTheScope };

// One forward and backward pass; the random draws begin alike every time.
Step step_of(VideoMae net, bool bf16, Backward where) {
  torch::manual_seed(12);
  const Tensor clips = torch::randn({6, 3, 4, 8, 8});
  Tensor loss;
  {
    const AutocastScope autocast(torch::kCPU, bf16);
    loss = net->forward(clips).logits.square().sum();
    if (where == Backward::kInsideTheScope) loss.backward();
  }
  if (where == Backward::kOutsideTheScope) loss.backward();
  return {gradients_of(net), torch::rand({1}, torch::kDouble).item<double>()};
}

TEST(Recompute, DropPathDrawsTheSameSamples) {
  const Step plain = step_of(little_net(false), false, Backward::kOutsideTheScope);
  const Step again = step_of(little_net(true), false, Backward::kOutsideTheScope);
  expect_same(plain.gradients, again.gradients);
  // And the generator goes on as if nothing had been drawn twice.
  EXPECT_EQ(plain.next_draw, again.next_draw);
}

TEST(Recompute, RunsAgainInThePrecisionOfTheFirstRun) {
  (void)has_fast_bf16(torch::kCPU);  // settles oneDNN's instruction set (core/cpu.h)
  const Step full = step_of(little_net(false), false, Backward::kOutsideTheScope);
  for (const Backward where : {Backward::kOutsideTheScope, Backward::kInsideTheScope}) {
    const Step plain = step_of(little_net(false), true, where);
    const Step again = step_of(little_net(true), true, where);
    expect_same(plain.gradients, again.gradients);
    // bf16 is in force at all: it leaves a trace in the numbers.
    const std::string name = "blocks.0.mlp.fc1.weight";
    EXPECT_FALSE(torch::equal(full.gradients.at(name), again.gradients.at(name)));
  }
  EXPECT_FALSE(autocast_enabled(torch::kCPU));
}

}  // namespace
}  // namespace mien::learn::recompute_test
