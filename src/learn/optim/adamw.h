// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) in one pass over each parameter.
#pragma once

#include <torch/torch.h>

namespace mien::learn {

// Under which key an optimizer keeps what it knows of a parameter: its address, before LibTorch 2.0
// as text.
inline auto adamw_state_key(const torch::Tensor& parameter) {
#if TORCH_VERSION_MAJOR >= 2
  return static_cast<void*>(parameter.unsafeGetTensorImpl());
#else
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
#endif
}

// LibTorch's AdamW, with its options and state (checkpoints do not differ). Where everything lies
// in f32 on the CPU, a step reads and writes each number once instead of in eight operations of
// their own:
//
//   p -= lr decay p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   p -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
//
// Elsewhere, and for AMSGrad, LibTorch's own steps are taken.
class AdamW : public torch::optim::AdamW {
 public:
  using torch::optim::AdamW::AdamW;

  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace mien::learn
