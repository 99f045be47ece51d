// Stochastic depth that leaves out what counts nothing: the same values and gradients as a mask.
#include <gtest/gtest.h>

#include <cmath>

#include "learn/models/micro_batch.h"
#include "learn/models/modules.h"

namespace mien::learn::drop_path_test {
namespace {

using torch::Tensor;

struct Values {
  Tensor out, d_x, d_weight;
};

// x plus a branch of it, samples left out by DropPath; `computed` gets the number of those that
// were not.
Values skipped(double rate, std::uint64_t seed, std::int64_t& computed) {
  torch::manual_seed(11);
  const Tensor x = torch::randn({8, 3, 4}).requires_grad_();
  const Tensor weight = torch::randn({4, 4}).requires_grad_();
  const MicroBatchScope scope(seed);
  const DropPath path(x, rate, true);
  const Tensor some = path.kept(x);
  computed = some.size(0);
  const Tensor out = path.add(some.matmul(weight).tanh());
  out.square().sum().backward();
  return {out.detach(), x.grad(), weight.grad()};
}

// The definition: every sample computed, those that are left out times 0.
Values masked(double rate, std::uint64_t seed, std::int64_t& counted) {
  torch::manual_seed(11);
  const Tensor x = torch::randn({8, 3, 4}).requires_grad_();
  const Tensor weight = torch::randn({4, 4}).requires_grad_();
  const MicroBatchScope scope(seed);
  const Tensor mask = torch::empty({8}).bernoulli_(1.0 - rate, MicroBatchScope::generator());
  counted = mask.sum().item<std::int64_t>();
  const Tensor out = x + x.matmul(weight).tanh() * (mask / (1.0 - rate)).view({8, 1, 1});
  out.square().sum().backward();
  return {out.detach(), x.grad(), weight.grad()};
}

TEST(DropPath, IsAMask) {
  bool none = false, all = false;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const double rate = seed < 20 ? 0.1 : (seed < 40 ? 0.5 : 0.9);
    std::int64_t computed = 0, counted = 0;
    const Values a = skipped(rate, seed, computed);
    const Values b = masked(rate, seed, counted);
    none = none || counted == 0;
    all = all || counted == 8;
    EXPECT_EQ(computed, counted == 0 ? 8 : counted);
    EXPECT_TRUE(torch::allclose(a.out, b.out, 1e-5, 1e-6)) << "seed " << seed;
    EXPECT_TRUE(torch::allclose(a.d_x, b.d_x, 1e-5, 1e-5)) << "seed " << seed;
    EXPECT_TRUE(torch::allclose(a.d_weight, b.d_weight, 1e-5, 1e-4)) << "seed " << seed;
  }
  EXPECT_TRUE(none && all);  // otherwise the seeds say too little
}

TEST(DropPath, WithoutItBranchesAreAdded) {
  const Tensor x = torch::ones({4, 2, 2});
  for (const DropPath& path : {DropPath(x, 0.0, true), DropPath(x, 0.5, false)}) {
    EXPECT_TRUE(path.kept(x).is_same(x));
    EXPECT_TRUE(torch::equal(path.add(x), x + x));
  }
  EXPECT_FALSE(DropPath(x, 0.5, true).kept({}).defined());
}

}  // namespace
}  // namespace mien::learn::drop_path_test
