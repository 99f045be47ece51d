#include "core/random_weights.h"

#include <cmath>
#include <string>

#include "core/rng.h"
#include "core/tensor_table.h"

namespace mien::core {
namespace {

// Numbers uniform in mean +- reach.
struct Spread {
  double mean = 0.0;
  double reach = 0.1;
};

bool is_norm_weight(const std::string& name) {
  for (const char* end :
       {"bn.weight", "norm.weight", "norm1.weight", "norm2.weight", "ln_post.weight"}) {
    if (name.ends_with(end)) return true;
  }
  return name.starts_with("prompt_norms.") && name.ends_with(".weight");
}

Spread spread_of(const TensorSpec& spec) {
  const std::string& name = spec.name;
  if (is_norm_weight(name)) return {1.0, 0.1};
  if (name.ends_with("running_var")) return {1.0, 0.5};
  if (name.ends_with("prelu.weight")) return {0.25, 0.1};
  if (name.ends_with("fovea.smooth")) return {10.0, 1.0};  // where the official code starts
  const bool matrix = spec.shape.size() == 2 || spec.shape.size() >= 4;  // or filters
  if (!matrix) return {};
  double fan_in = 1.0;
  for (std::size_t i = 1; i < spec.shape.size(); ++i) fan_in *= static_cast<double>(spec.shape[i]);
  return {0.0, std::sqrt(3.0 / fan_in)};  // variance 1 / fan_in
}

}  // namespace

TensorMap random_weights(const ModelConfig& config, std::uint64_t seed) {
  Rng rng(seed);
  TensorMap tensors;
  for (const TensorSpec& spec : tensor_table(config)) {
    const Spread spread = spread_of(spec);
    const double low = spread.mean - spread.reach;
    const double high = spread.mean + spread.reach;
    Tensor tensor = Tensor::zeros(DType::kF32, spec.shape);
    for (float& v : tensor.as<float>()) v = static_cast<float>(rng.uniform(low, high));
    tensors.emplace(spec.name, std::move(tensor));
  }
  return tensors;
}

}  // namespace mien::core
