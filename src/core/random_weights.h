// Models of random numbers, for measuring presets that nobody has trained here.
#pragma once

#include <cstdint>

#include "core/model_config.h"
#include "core/tensor.h"

namespace mien::core {

// Every tensor of the config's table (tensor_table), f32; the same numbers for the same seed on
// every machine. Scales are those of a trained network, roughly: a signal neither dies nor explodes
// on its way through. The config must be valid (validate()); throws std::bad_alloc.
TensorMap random_weights(const ModelConfig& config, std::uint64_t seed);

}  // namespace mien::core
