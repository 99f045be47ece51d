// Convolutions that BatchNorm is folded into, and how many threads LibTorch takes.
#include "learn/models/modules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "learn/autocast.h"
#include "learn/threads.h"

namespace mien::learn {
namespace {

struct ConvCase {
  core::ConvBlockSpec spec;
  ConvBlockImpl::Activation activation;
};

std::vector<ConvCase> conv_cases() {
  const core::ConvBlockSpec plain{
      .name = "", .in = 6, .out = 10, .kernel = 3, .stride = 2, .padding = 1, .prelu = true};
  core::ConvBlockSpec depthwise = plain;
  depthwise.out = 6;
  depthwise.groups = 6;
  core::ConvBlockSpec linear = plain;
  linear.prelu = false;
  return {{plain, ConvBlockImpl::Activation::kFromSpec},
          {depthwise, ConvBlockImpl::Activation::kFromSpec},
          {linear, ConvBlockImpl::Activation::kFromSpec},
          {plain, ConvBlockImpl::Activation::kRelu}};
}

// In eval mode, with running statistics that are not those of a fresh block.
ConvBlock trained_block(const ConvCase& c) {
  ConvBlock block(c.spec, c.activation);
  const torch::NoGradGuard no_grad;
  for (auto& item : block->named_parameters()) {
    if (item.value().dim() == 1) item.value().uniform_(0.2, 1.5);
  }
  for (auto& item : block->named_buffers()) {
    if (item.value().dim() == 1) item.value().uniform_(0.3, 2.0);
  }
  block->eval();
  return block;
}

double relative_distance(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a.to(torch::kFloat) - b).norm() / b.norm()).item<double>();
}

// Without AVX-512 LibTorch's convolutions of bf16 are its own, not oneDNN's, and sum in bf16.
bool rounds_sums() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx512bw") == 0 || __builtin_cpu_supports("avx512vl") == 0 ||
         __builtin_cpu_supports("avx512dq") == 0;
#else
  return true;
#endif
}

TEST(ConvBlock, FoldedIsTheSame) {
  torch::manual_seed(3);
  for (const ConvCase& c : conv_cases()) {
    ConvBlock block = trained_block(c);
    const torch::Tensor x = torch::randn({2, 6, 9, 9});
    const torch::Tensor apart = block(x).detach();
    const torch::NoGradGuard no_grad;
    EXPECT_LT(relative_distance(block(x), apart), 1e-6);
    const torch::Tensor half = block(x.to(torch::kBFloat16));
    EXPECT_EQ(half.scalar_type(), torch::kBFloat16);
    const double terms =
        static_cast<double>(c.spec.in / c.spec.groups * c.spec.kernel * c.spec.kernel);
    // Weights, output and every sum are rounded, or the sums are not.
    const double limit = rounds_sums() ? (std::sqrt(terms) + 2.0) * std::pow(2.0, -9) : 1e-2;
    EXPECT_LT(relative_distance(half, apart), limit);
  }
}

TEST(ConvBlock, TrainingUsesTheStatisticsOfTheBatch) {
  torch::manual_seed(3);
  ConvBlock block = trained_block(conv_cases().front());
  const torch::Tensor x = torch::randn({4, 6, 9, 9});
  const torch::Tensor evaluated = block(x).detach();
  block->train();
  const torch::NoGradGuard no_grad;
  EXPECT_GT(relative_distance(block(x), evaluated), 1e-2);
}

TEST(FrozenInput, FollowsTheAutocast) {
  const torch::Tensor x = torch::randn({1, 3, 4, 4});
  EXPECT_EQ(frozen_input(x).scalar_type(), torch::kFloat);
  const AutocastScope scope(torch::kCPU, true);
  EXPECT_EQ(frozen_input(x).scalar_type(), torch::kBFloat16);
}

TEST(Threads, AreAsManyAsWanted) {
  const int before = torch::get_num_threads();
  use_threads(3);
  EXPECT_EQ(torch::get_num_threads(), 3);
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    use_threads(0);
    EXPECT_EQ(torch::get_num_threads(), static_cast<int>(std::thread::hardware_concurrency()));
  }
  use_threads(before);
}

}  // namespace
}  // namespace mien::learn
