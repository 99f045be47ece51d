// The products that LibTorch asks for are the definition's, whoever makes them.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>
#include <vector>

namespace mien::learn::blas_products_test {
namespace {

using torch::Tensor;

// A matrix [rows, columns] as a view: by rows, or by columns; `gap` numbers between the lines.
Tensor matrix(std::int64_t rows, std::int64_t columns, bool by_columns, std::int64_t gap) {
  const Tensor all = by_columns ? torch::randn({columns, rows + gap}).narrow(1, 0, rows).t()
                                : torch::randn({rows, columns + gap}).narrow(1, 0, columns);
  return all;
}

struct Size {
  std::int64_t m, n, k;
};

// Some that a BLAS makes, and some that oneDNN does; none a multiple of what kernels like.
std::vector<Size> sizes() {
  return {{1, 1, 1}, {3, 5, 7}, {49, 49, 64}, {101, 83, 97}, {1, 801, 900}, {157, 203, 64}};
}

TEST(BlasProducts, AreTheDefinition) {
  torch::manual_seed(23);
  for (const Size& s : sizes()) {
    for (int which = 0; which < 8; ++which) {
      const Tensor a = matrix(s.m, s.k, (which & 1) != 0, 3);
      const Tensor b = matrix(s.k, s.n, (which & 2) != 0, 5);
      Tensor c = matrix(s.m, s.n, (which & 4) != 0, 2);
      const Tensor before = c.clone();
      const Tensor product = a.to(torch::kDouble).matmul(b.to(torch::kDouble));
      const Tensor expected = product * 0.5 + before.to(torch::kDouble) * 2.0;
      at::addmm_out(c, c, a, b, 2.0, 0.5);
      EXPECT_TRUE(torch::allclose(c.to(torch::kDouble), expected, 1e-4, 1e-4))
          << s.m << " x " << s.n << " x " << s.k << ", " << which;
    }
  }
}

// beta = 0: what was there is not read.
TEST(BlasProducts, OverwriteWhatWasThere) {
  for (const std::int64_t size : {8, 128}) {
    const Tensor a = torch::ones({size, size});
    Tensor c = torch::full({size, size}, std::numeric_limits<float>::quiet_NaN());
    at::addmm_out(c, c, a, a, 0.0, 1.0);
    EXPECT_TRUE(c.eq(static_cast<double>(size)).all().item<bool>()) << size;
  }
}

// LibTorch, a library, binds the name to the first that has it: that must be this program.
TEST(BlasProducts, AreThisProgramsOwn) {
#ifndef MIEN_PRODUCTS_BY_ONEDNN
  GTEST_SKIP() << "built without oneDNN: the BLAS makes all products";
#endif
  void* const found = dlsym(RTLD_DEFAULT, "sgemm_");
  ASSERT_NE(found, nullptr);
  Dl_info of_products{};
  Dl_info of_test{};
  ASSERT_NE(dladdr(found, &of_products), 0);
  ASSERT_NE(dladdr(reinterpret_cast<const void*>(&sizes), &of_test), 0);
  EXPECT_EQ(of_products.dli_fbase, of_test.dli_fbase) << of_products.dli_fname;
}

// Training's results may not depend on chance.
TEST(BlasProducts, AreTheSameAgain) {
  torch::manual_seed(24);
  const Tensor a = torch::randn({300, 170});
  const Tensor b = torch::randn({170, 210});
  const Tensor first = a.matmul(b);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(torch::equal(a.matmul(b), first));
}

}  // namespace
}  // namespace mien::learn::blas_products_test
