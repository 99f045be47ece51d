// Small models of random numbers, for sizes that no checkpoint has.
#pragma once

#include <cmath>
#include <random>
#include <string>

#include "core/model_config.h"
#include "core/tensor_table.h"

namespace mien::test {

inline bool ends_with(const std::string& name, const std::string& end) {
  return name.ends_with(end);
}

// Every tensor of the config's table; the same numbers for the same seed. Scales are those of a
// trained network, roughly: a signal neither dies nor explodes on its way through.
inline core::TensorMap random_tensors(const core::ModelConfig& config, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  core::TensorMap tensors;
  for (const core::TensorSpec& spec : core::tensor_table(config)) {
    core::Tensor tensor = core::Tensor::zeros(core::DType::kF32, spec.shape);
    double fan_in = 1.0;
    for (std::size_t i = 1; i < spec.shape.size(); ++i)
      fan_in *= static_cast<double>(spec.shape[i]);
    const bool matrix = spec.shape.size() == 2 || spec.shape.size() >= 4;  // or filters
    const auto spread = static_cast<float>(matrix ? 1.0 / std::sqrt(fan_in) : 0.1);
    for (float& v : tensor.as<float>()) {
      v = spread * normal(random);
      if (ends_with(spec.name, "running_var")) v = 1.0F + std::abs(v);
      if (ends_with(spec.name, "bn.weight") || ends_with(spec.name, "norm.weight") ||
          ends_with(spec.name, "norm1.weight") || ends_with(spec.name, "norm2.weight")) {
        v += 1.0F;
      }
      if (ends_with(spec.name, "prelu.weight")) v += 0.25F;
      if (ends_with(spec.name, "fovea.smooth")) v += 3.0F;
    }
    tensors.emplace(spec.name, std::move(tensor));
  }
  return tensors;
}

inline std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

inline std::vector<std::uint8_t> random_pixels(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> values(count);
  for (auto& v : values) v = static_cast<std::uint8_t>(random() & 0xFFU);
  return values;
}

}  // namespace mien::test
