// Attention in place gives the values and gradients of LibTorch's own steps.
#include "learn/models/attend.h"

#include <gtest/gtest.h>

#include <vector>

#include "learn/autocast.h"
#include "learn/bf16_product.h"

namespace mien::learn::attend_test {
namespace {

using torch::Tensor;

struct AttendCase {
  std::int64_t sequences, tokens, heads, head_dim;
  int bias;  // dimensions of the key bias, 0 for none
};

// Clips of a few tokens, and some whose queries make several blocks, the last one smaller.
std::vector<AttendCase> attend_cases() {
  return {{2, 5, 2, 4, 0},   {3, 7, 1, 8, 2},   {2, 6, 2, 4, 3},   {1, 1, 2, 4, 2},
          {1, 400, 2, 8, 0}, {2, 390, 1, 8, 2}, {1, 1500, 1, 4, 2}};
}

Tensor bias_of(const AttendCase& c) {
  if (c.bias == 0) return {};
  // As log masks are, some keys all but left out.
  return c.bias == 2 ? torch::log_sigmoid(torch::randn({c.sequences, c.tokens}) * 4)
                     : torch::randn({c.sequences, c.tokens, c.tokens}) * 2;
}

struct AttendResult {
  Tensor out, d_qkv, d_bias;
};

// `rounded`: of values that bf16 has; `type`: that of the rows.
AttendResult run(Tensor (*attention)(const Tensor&, std::int64_t, const Tensor&),
                 const AttendCase& c, torch::ScalarType type = torch::kFloat,
                 bool rounded = false) {
  torch::manual_seed(7);
  Tensor drawn = torch::randn({c.sequences, c.tokens, 3 * c.heads * c.head_dim}) * 2;
  if (rounded) drawn = drawn.to(torch::kBFloat16);
  const Tensor qkv = drawn.to(type);
  const Tensor bias = bias_of(c);
  const AutocastScope scope(torch::kCPU, type == torch::kBFloat16);
  qkv.requires_grad_();
  if (c.bias == 2) bias.requires_grad_();
  AttendResult result;
  result.out = attention(qkv, c.heads, bias);
  Tensor direction = torch::randn(result.out.sizes());
  if (rounded) direction = direction.to(torch::kBFloat16);
  (result.out.to(torch::kFloat) * direction).sum().backward();
  result.d_qkv = qkv.grad();
  if (c.bias == 2) result.d_bias = bias.grad();
  return result;
}

TEST(Attend, GivesTheSameInPlace) {
  for (const AttendCase& c : attend_cases()) {
    SCOPED_TRACE(testing::Message() << c.sequences << " x " << c.tokens << ", bias " << c.bias);
    const AttendResult a = run(attend, c);
    const AttendResult b = run(attend_in_steps, c);
    ASSERT_EQ(a.out.sizes(), b.out.sizes());
    EXPECT_TRUE(torch::allclose(a.out, b.out, 1e-4, 1e-5));
    EXPECT_TRUE(torch::allclose(a.d_qkv, b.d_qkv, 1e-4, 1e-5));
    if (c.bias == 2) {
      EXPECT_TRUE(torch::allclose(a.d_bias, b.d_bias, 1e-4, 1e-5));
    }
  }
}

TEST(Attend, ThreadsChangeNothing) {
  const AttendCase c{3, 390, 2, 8, 2};
  const int before = torch::get_num_threads();
  torch::set_num_threads(1);
  const AttendResult one = run(attend, c);
  torch::set_num_threads(2);
  const AttendResult two = run(attend, c);
  torch::set_num_threads(before);
  EXPECT_TRUE(torch::equal(one.out, two.out));
  EXPECT_TRUE(torch::equal(one.d_qkv, two.d_qkv));
  EXPECT_TRUE(torch::equal(one.d_bias, two.d_bias));
}

bool in_bf16() {
#ifdef MIEN_BF16_KERNELS
  return has_bf16_product();
#else
  return false;
#endif
}

double difference(const Tensor& a, const Tensor& exact) {
  return ((a.to(torch::kFloat) - exact).norm() / exact.norm()).item<double>();
}

// bf16 has 8 bits: whatever the order of the steps, results are within their rounding of f32's, and
// those in place are not further from it than LibTorch's.
TEST(Attend, RoundsInBf16NoMoreThanLibTorch) {
  if (!in_bf16()) GTEST_SKIP() << "this CPU or build has no fast products of bf16";
  for (const AttendCase& c : attend_cases()) {
    SCOPED_TRACE(testing::Message() << c.sequences << " x " << c.tokens << ", bias " << c.bias);
    const AttendResult exact = run(attend_in_steps, c, torch::kFloat, true);
    const AttendResult a = run(attend, c, torch::kBFloat16, true);
    const AttendResult b = run(attend_in_steps, c, torch::kBFloat16, true);
    ASSERT_EQ(a.out.scalar_type(), torch::kBFloat16);
    ASSERT_EQ(a.d_qkv.scalar_type(), torch::kBFloat16);
    EXPECT_LT(difference(a.out, exact.out), 0.01);
    EXPECT_LE(difference(a.out, exact.out), 1.1 * difference(b.out, exact.out));
    if (c.tokens == 1) continue;  // the gradient of q and k is 0 but for rounding
    EXPECT_LT(difference(a.d_qkv, exact.d_qkv), 0.02);
    EXPECT_LE(difference(a.d_qkv, exact.d_qkv), 1.1 * difference(b.d_qkv, exact.d_qkv));
    if (c.bias == 2) {
      ASSERT_EQ(a.d_bias.scalar_type(), torch::kFloat);
      EXPECT_LT(difference(a.d_bias, exact.d_bias), 0.02);
    }
  }
}

TEST(Attend, ThreadsChangeNothingInBf16) {
  if (!in_bf16()) GTEST_SKIP() << "this CPU or build has no fast products of bf16";
  const AttendCase c{3, 390, 2, 8, 2};
  const int before = torch::get_num_threads();
  torch::set_num_threads(1);
  const AttendResult one = run(attend, c, torch::kBFloat16);
  torch::set_num_threads(2);
  const AttendResult two = run(attend, c, torch::kBFloat16);
  torch::set_num_threads(before);
  EXPECT_TRUE(torch::equal(one.out, two.out));
  EXPECT_TRUE(torch::equal(one.d_qkv, two.d_qkv));
  EXPECT_TRUE(torch::equal(one.d_bias, two.d_bias));
}

// What the steps in place do not do: other types, and learning a bias of each query.
TEST(Attend, LeavesTheRestToLibTorch) {
  torch::manual_seed(3);
  const Tensor exact = torch::randn({2, 6, 24}, torch::kDouble);
  EXPECT_EQ(attend(exact, 2).scalar_type(), torch::kDouble);
  const Tensor qkv = exact.to(torch::kFloat);
  EXPECT_TRUE(torch::allclose(attend(exact, 2).to(torch::kFloat), attend(qkv, 2), 1e-4, 1e-5));
  const Tensor bias = torch::zeros({2, 6, 6}).requires_grad_();
  attend(qkv, 2, bias).sum().backward();
  EXPECT_EQ(bias.grad().sizes(), bias.sizes());
  const Tensor turned = qkv.transpose(0, 1);  // not as a linear layer leaves it
  EXPECT_TRUE(torch::allclose(attend(turned, 2), attend(turned.contiguous(), 2), 1e-4, 1e-5));
}

TEST(Attend, NothingIsKeptWithoutGradients) {
  const torch::NoGradGuard no_grad;
  const Tensor qkv = torch::randn({1, 6, 24});
  EXPECT_FALSE(attend(qkv, 2).requires_grad());
}

}  // namespace
}  // namespace mien::learn::attend_test
