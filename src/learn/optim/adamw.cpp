#include "learn/optim/adamw.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <tuple>

namespace mien::learn {
namespace {

using torch::Tensor;
using torch::optim::AdamWOptions;
using torch::optim::AdamWParamState;

constexpr std::int64_t kGrain = 32 * 1024;  // numbers that are worth a thread

struct Factors {
  float keep, beta1, beta2, rate, correction, eps;  // correction: 1 / sqrt(1 - beta2^t)
};

Factors factors_of(const AdamWOptions& options, std::int64_t step) {
  const auto [beta1, beta2] = options.betas();
  const auto count = static_cast<double>(step);
  Factors f{};
  f.keep = static_cast<float>(1.0 - options.lr() * options.weight_decay());
  f.beta1 = static_cast<float>(beta1);
  f.beta2 = static_cast<float>(beta2);
  f.rate = static_cast<float>(options.lr() / (1.0 - std::pow(beta1, count)));
  f.correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(beta2, count)));
  f.eps = static_cast<float>(options.eps());
  return f;
}

// `count` numbers of the parameter, its gradient and their two moments.
void update(float* __restrict p, const float* __restrict g, float* __restrict m,
            float* __restrict v, std::int64_t count, const Factors& f) {
  for (std::int64_t i = 0; i < count; ++i) {
    m[i] = f.beta1 * m[i] + (1.0F - f.beta1) * g[i];
    v[i] = f.beta2 * v[i] + (1.0F - f.beta2) * g[i] * g[i];
    p[i] = f.keep * p[i] - f.rate * m[i] / (std::sqrt(v[i]) * f.correction + f.eps);
  }
}

bool lies_flat(const Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == torch::kFloat && x.layout() == torch::kStrided &&
         x.is_contiguous();
}

// Whether every parameter that has a gradient can be updated in one pass.
bool all_flat(const std::vector<torch::optim::OptimizerParamGroup>& groups) {
  for (const auto& group : groups) {
    if (static_cast<const AdamWOptions&>(group.options()).amsgrad()) return false;
    for (const Tensor& parameter : group.params()) {
      if (parameter.grad().defined() && !(lies_flat(parameter) && lies_flat(parameter.grad()))) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Tensor AdamW::step(LossClosure closure) {
  if (closure != nullptr || !all_flat(param_groups())) return torch::optim::AdamW::step(closure);
  const torch::NoGradGuard no_grad;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const AdamWOptions&>(group.options());
    for (Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      auto& kept = state()[adamw_state_key(parameter)];
      if (kept == nullptr) {
        auto fresh = std::make_unique<AdamWParamState>();
        fresh->exp_avg(torch::zeros_like(parameter, torch::MemoryFormat::Contiguous));
        fresh->exp_avg_sq(torch::zeros_like(parameter, torch::MemoryFormat::Contiguous));
        kept = std::move(fresh);
      }
      auto& state = static_cast<AdamWParamState&>(*kept);
      state.step(state.step() + 1);
      const Factors factors = factors_of(options, state.step());
      float* const p = parameter.data_ptr<float>();
      const float* const g = parameter.grad().data_ptr<float>();
      float* const m = state.exp_avg().data_ptr<float>();
      float* const v = state.exp_avg_sq().data_ptr<float>();
      at::parallel_for(0, parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        update(p + begin, g + begin, m + begin, v + begin, end - begin, factors);
      });
    }
  }
  return {};
}

}  // namespace mien::learn
