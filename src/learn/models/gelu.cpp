#include "learn/models/gelu.h"

#ifdef MIEN_BF16_KERNELS
#include <ATen/Parallel.h>

#include <cstddef>
#include <cstdint>

#include "learn/models/gelu_rows.h"
#endif

namespace mien::learn {

using torch::Tensor;

#ifdef MIEN_BF16_KERNELS

namespace {

constexpr std::int64_t kGrain = 16384;  // values for which waking a thread is worth it

std::uint16_t* bits_of(const Tensor& x) {
  return static_cast<std::uint16_t*>(x.data_ptr());
}

class GeluBf16 : public torch::autograd::Function<GeluBf16> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x) {
    context->save_for_backward({x});
    const Tensor y = torch::empty_like(x);
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      gelu_rows(bits_of(x) + begin, static_cast<std::size_t>(end - begin), bits_of(y) + begin);
    });
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Tensor x = context->get_saved_variables()[0];
    const Tensor dy = gradients[0].to(torch::kBFloat16).contiguous();
    const Tensor dx = torch::empty_like(x);
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      gelu_backward_rows(bits_of(dy) + begin, bits_of(x) + begin,
                         static_cast<std::size_t>(end - begin), bits_of(dx) + begin);
    });
    return {dx};
  }
};

}  // namespace

Tensor gelu(const Tensor& x) {
  const bool fits = x.device().is_cpu() && x.scalar_type() == torch::kBFloat16 && x.is_contiguous();
  return fits ? GeluBf16::apply(x) : torch::gelu(x);
}

#else

Tensor gelu(const Tensor& x) {
  return torch::gelu(x);
}

#endif

}  // namespace mien::learn
