// BLAS's product of f32 matrices, sgemm_, which is what LibTorch calls on the CPU for linear layers
// and attention. A program's own symbols come before those of its libraries, so LibTorch gets this
// one, and larger products are oneDNN's: with it videomae-tiny trains 1.7 times as fast on Zen 5
// as with OpenBLAS 0.3.21 (docs/performance.md); small ones are left to the BLAS, which makes one
// of 49 x 49 x 64 1.5 times as fast. A LibTorch with a BLAS inside (PyTorch's own builds, MKL) does
// not ask.
#include <dlfcn.h>
#include <dnnl.h>

#include <cstdint>

namespace {

using Product = void(const char*, const char*, const int*, const int*, const int*, const float*,
                     const float*, const int*, const float*, const int*, const float*, float*,
                     const int*);

// Multiply-adds from which on oneDNN is as fast: 64 x 64 x 64 is not yet, 96 x 96 x 96 is.
constexpr std::int64_t kLarge = 500'000;

Product* of_blas() {
  static Product* const found = reinterpret_cast<Product*>(dlsym(RTLD_NEXT, "sgemm_"));
  return found;
}

}  // namespace

// C = alpha op(A) op(B) + beta C, matrices by columns (BLAS, Dongarra et al. 1990). By rows that is
// C^T = alpha op(B)^T op(A)^T + beta C^T, as oneDNN takes it.
extern "C" __attribute__((visibility("default"))) void sgemm_(
    const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k,
    const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
    const float* beta, float* c, const int* ldc) {
  Product* const blas = of_blas();
  if (blas == nullptr || std::int64_t{*m} * *n * *k >= kLarge) {
    const dnnl_status_t status = dnnl_sgemm(*transpose_b, *transpose_a, *n, *m, *k, *alpha, b, *ldb,
                                            a, *lda, *beta, c, *ldc);
    if (status == dnnl_success || blas == nullptr) return;
  }
  blas(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
