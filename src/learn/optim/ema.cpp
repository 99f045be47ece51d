#include "learn/optim/ema.h"

#include <algorithm>

#include "learn/state.h"

namespace mien::learn {

Ema::Ema(const torch::nn::Module& module, double decay) : decay_(decay) {
  for (const auto& [name, tensor] : named_state(module)) average_[name] = tensor.detach().clone();
}

void Ema::update(const torch::nn::Module& module, std::int64_t step) {
  const torch::NoGradGuard no_grad;
  const auto count = static_cast<double>(step);
  const double decay = std::min(decay_, (1.0 + count) / (10.0 + count));
  for (const auto& [name, tensor] : named_state(module)) {
    torch::Tensor& average = average_[name];
    if (decay_ <= 0.0 || !tensor.is_floating_point()) {
      average.copy_(tensor);
    } else {
      average.lerp_(tensor, 1.0 - decay);
    }
  }
}

void Ema::swap(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : named_state(module)) {
    const torch::Tensor kept = tensor.detach().clone();
    tensor.copy_(average_[name]);
    average_[name].copy_(kept);
  }
}

}  // namespace mien::learn
