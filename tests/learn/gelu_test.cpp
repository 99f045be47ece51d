// GELU of bf16 values is exact to the last bit or so, for every value that there is.
#include "learn/models/gelu.h"

#include <gtest/gtest.h>

namespace mien::learn::gelu_test {
namespace {

using torch::Tensor;

// Every finite bf16 value whose square is finite.
Tensor all_values() {
  const Tensor bits = torch::arange(-32768, 32768, torch::kInt).to(torch::kShort);
  const Tensor values = bits.view(torch::kBFloat16);
  return values.index({values.to(torch::kFloat).abs() < 1e18}).contiguous();
}

struct GeluResult {
  Tensor y, dx;
};

GeluResult run(Tensor (*f)(const Tensor&), const Tensor& of) {
  const Tensor x = of.detach().clone().requires_grad_();
  GeluResult result;
  result.y = f(x);
  result.y.backward(torch::full_like(x, 0.75));
  result.dx = x.grad();
  return result;
}

Tensor torch_gelu(const Tensor& x) {
  return torch::gelu(x);
}

// One part in 128 is two bf16 steps at most; what is below 1e-6 counts for nothing.
void expect_close(const Tensor& a, const Tensor& exact) {
  EXPECT_EQ(a.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(torch::allclose(a.to(torch::kFloat), exact, 1.0 / 128, 1e-6));
}

TEST(Gelu, IsExactInBf16) {
  const Tensor x = all_values();
  ASSERT_GT(x.numel(), 40000);
  const GeluResult exact = run(torch_gelu, x.to(torch::kDouble));
  const GeluResult a = run(gelu, x);
  expect_close(a.y, exact.y.to(torch::kFloat));
  expect_close(a.dx, exact.dx.to(torch::kFloat));
}

// Parts of a vector's length, and more values than one thread takes.
TEST(Gelu, TakesAnyNumberOfValues) {
  torch::manual_seed(5);
  for (const std::int64_t count : {0, 1, 7, 17, 100003}) {
    const Tensor x = torch::randn({count}).to(torch::kBFloat16);
    const GeluResult exact = run(torch_gelu, x.to(torch::kFloat));
    const GeluResult a = run(gelu, x);
    expect_close(a.y, exact.y);
    expect_close(a.dx, exact.dx);
  }
}

TEST(Gelu, LeavesOtherTypesAndStridesToLibTorch) {
  torch::manual_seed(6);
  const Tensor x = torch::randn({4, 6});
  EXPECT_TRUE(torch::equal(learn::gelu(x), torch::gelu(x)));
  const Tensor turned = x.to(torch::kBFloat16).t();
  EXPECT_TRUE(torch::equal(learn::gelu(turned), torch::gelu(turned)));
}

}  // namespace
}  // namespace mien::learn::gelu_test
