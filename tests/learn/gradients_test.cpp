// Micro-batches computed at a time: the gradients of one after the other, whoever is done first.
#include "learn/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "learn/adatosk_case.h"
#include "learn/losses/still_losses.h"
#include "learn/models/adatosk_net.h"
#include "learn/models/clip_net.h"
#include "learn/models/micro_batch.h"
#include "learn/models/modules.h"

namespace mien::learn::gradients_test {
namespace {

using adatosk_test::little_config;
using torch::Tensor;

std::unique_ptr<ClipNet> little(double drop_path = 0.0) {
  core::ModelConfig config;
  config.arch = core::Arch::kAdaTosk;
  config.adatosk = little_config();
  torch::manual_seed(29);
  AdaToskTraining training;
  training.train_budget = 0.5;
  auto net = make_clip_net(config, {.drop_path = drop_path, .adatosk = training}).value();
  net->module().train();
  return net;
}

// `count` micro-batches of two clips. The first are the last to be done.
std::vector<LossTask> tasks_of(ClipNet& net, int count) {
  torch::manual_seed(19);
  std::vector<LossTask> tasks;
  for (int i = 0; i < count; ++i) {
    ClipNet::Lesson lesson;
    lesson.clips = torch::randn({2, 3, 8, 8, 8});
    lesson.target = torch::randn({2, 5}).softmax(1);
    lesson.seed = static_cast<std::uint64_t>(i);
    tasks.emplace_back([&net, lesson, wait = count - i] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10 * wait));
      return net.own_loss(lesson);
    });
  }
  return tasks;
}

struct Outcome {
  double loss = 0.0;
  Tensor gradients;  // all of them in one row
  Tensor slot_mean;
};

Outcome outcome_of(ClipNet& net, double loss) {
  std::vector<Tensor> rows;
  for (const Tensor& parameter : net.module().parameters()) {
    if (parameter.grad().defined()) rows.push_back(parameter.grad().flatten());
  }
  return {loss, torch::cat(rows), net.module().named_buffers()["mask.slot_mean"].clone()};
}

double run_apart(ClipNet& net, const std::vector<LossTask>& tasks, int lanes,
                 std::uint64_t seed = 3) {
  GradientsApart gradients(net.module(), static_cast<int>(tasks.size()), lanes, {.seed = seed});
  for (auto from = tasks.begin(); from != tasks.end();) {
    const auto to = from + std::min<std::ptrdiff_t>(lanes, tasks.end() - from);
    gradients.add({from, to});
    from = to;
  }
  return gradients.finish();
}

Outcome apart(int tasks, int lanes, double drop_path = 0.0, std::uint64_t seed = 3) {
  const auto net = little(drop_path);
  const double loss = run_apart(*net, tasks_of(*net, tasks), lanes, seed);
  return outcome_of(*net, loss);
}

TEST(Gradients, ApartAreThoseInTurn) {
  const auto net = little();
  double loss = 0.0;
  for (const LossTask& task : tasks_of(*net, 3)) {
    loss += add_gradient(task, torch::kCPU, false, 1.0 / 3.0) / 3.0;
  }
  const Outcome in_turn = outcome_of(*net, loss);
  const Outcome at_a_time = apart(3, 2);
  // In turn, a micro-batch already sees the running means that the one before it left.
  EXPECT_NEAR(at_a_time.loss, in_turn.loss, 0.02 * std::abs(in_turn.loss));
  ASSERT_EQ(at_a_time.gradients.sizes(), in_turn.gradients.sizes());
  const Outcome first = apart(1, 2);
  const auto alone = little();
  const double own = add_gradient(tasks_of(*alone, 1).front(), torch::kCPU, false, 1.0);
  EXPECT_NEAR(first.loss, own, 1e-6);
  EXPECT_TRUE(torch::allclose(first.gradients, outcome_of(*alone, own).gradients, 1e-4, 1e-6));
}

TEST(Gradients, DoNotDependOnTheLanes) {
  const Outcome wanted = apart(4, 1, 0.3);
  for (const int lanes : {2, 3, 4, 7}) {
    const Outcome got = apart(4, lanes, 0.3);
    EXPECT_EQ(got.loss, wanted.loss) << lanes;
    EXPECT_TRUE(torch::equal(got.gradients, wanted.gradients)) << lanes;
    EXPECT_TRUE(torch::equal(got.slot_mean, wanted.slot_mean)) << lanes;
  }
  EXPECT_GT(wanted.slot_mean.abs().max().item<double>(), 0.0);
  // What drop path draws is the seed's.
  EXPECT_FALSE(torch::equal(apart(4, 2, 0.3, 4).gradients, wanted.gradients));
  EXPECT_TRUE(torch::equal(apart(4, 2, 0.0, 4).gradients, apart(4, 2, 0.0, 3).gradients));
}

TEST(Gradients, LeaveThreadsAsTheyWere) {
  const int before = torch::get_num_threads();
  torch::set_num_threads(2);
  apart(2, 2);
  EXPECT_EQ(torch::get_num_threads(), 2);
  torch::set_num_threads(before);
}

TEST(Gradients, WhatATaskThrowsComesThrough) {
  const auto net = little();
  std::vector<LossTask> tasks = tasks_of(*net, 2);
  tasks[1] = []() -> Tensor { throw std::runtime_error("no such luck"); };
  EXPECT_THROW(run_apart(*net, tasks, 2), std::runtime_error);
}

TEST(Gradients, FrozenParametersHaveNone) {
  const auto net = little();
  for (auto& item : net->module().named_parameters()) {
    item.value().set_requires_grad(item.key().starts_with("head."));
  }
  run_apart(*net, tasks_of(*net, 2), 2);
  for (const auto& item : net->module().named_parameters()) {
    EXPECT_EQ(item.value().grad().defined(), item.key().starts_with("head.")) << item.key();
  }
}

// Ones, some of them left out and the others doubled.
Tensor some_of(const Tensor& ones) {
  const DropPath path(torch::zeros_like(ones), 0.5, true);
  return path.add(path.kept(ones));
}

TEST(MicroBatchScope, DrawsAreItsOwn) {
  const Tensor ones = torch::ones({64, 1, 1});
  const auto drawn = [&](std::uint64_t seed) {
    const MicroBatchScope scope(seed);
    return some_of(ones);
  };
  const Tensor first = drawn(1);
  EXPECT_TRUE(torch::equal(drawn(1), first));
  EXPECT_FALSE(torch::equal(drawn(2), first));
  torch::manual_seed(5);
  const Tensor outside = some_of(ones);
  torch::manual_seed(5);
  drawn(1);  // takes nothing from LibTorch's own
  EXPECT_TRUE(torch::equal(some_of(ones), outside));
}

TEST(MicroBatchScope, PutsOffWhatIsNotItsOwn) {
  std::vector<int> seen;
  MicroBatchScope::update_state([&] { seen.push_back(0); });
  EXPECT_EQ(seen, (std::vector<int>{0}));
  MicroBatchScope scope(1);
  MicroBatchScope::update_state([&] { seen.push_back(1); });
  MicroBatchScope::update_state([&] { seen.push_back(2); });
  EXPECT_EQ(seen.size(), 1U);
  for (const auto& update : scope.take_updates()) update();
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2}));
}

TEST(Dropout, ScalesWhatStays) {
  Dropout dropout(0.25);
  torch::manual_seed(3);
  const Tensor x = torch::ones({4000});
  const Tensor y = dropout(x);
  EXPECT_EQ(y.eq(0.0).sum().item<std::int64_t>() + y.eq(1.0F / 0.75F).sum().item<std::int64_t>(),
            4000);
  EXPECT_NEAR(y.mean().item<double>(), 1.0, 0.05);
  dropout->eval();
  EXPECT_TRUE(torch::equal(dropout(x), x));
}

}  // namespace
}  // namespace mien::learn::gradients_test
