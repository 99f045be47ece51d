// GELU (Hendrycks and Gimpel 2016, arXiv 1606.08415), exact.
#pragma once

#include <torch/torch.h>

namespace mien::learn {

// x Phi(x) of any shape, in the type of x, as torch::gelu. Values of bf16 on the CPU by kernels of
// our own where the build has them (gelu_rows.h), from which results may differ in the last bit of
// bf16.
torch::Tensor gelu(const torch::Tensor& x);

}  // namespace mien::learn
