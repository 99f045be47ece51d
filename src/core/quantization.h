// Which layers of a model may compute in int8, and what a calibration found out about it. Stored in
// mien.config as "quantization"; `mien-train quantize` writes it, the engine goes by it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::core {

struct ModelConfig;

// The outcome of a calibration. Shares are in [0, 1].
struct Quantization {
  bool int8 = false;              // the answers hold in int8: precision auto may take it
  std::vector<std::string> keep;  // of int8_layers(): those that stay out of int8
  double agreement = 0.0;         // samples for which int8 and f32 name the same class
  double accuracy_f32 = 0.0;      // samples for which f32 names the true class
  double accuracy_bf16 = 0.0;     // and bf16
  double accuracy_int8 = 0.0;     // and int8 without the kept layers
  std::int64_t samples = 0;       // that all of this was measured on
  std::string data;               // which they were
  // How many int8_layers() the calibration knew of. One that knew of others says nothing.
  std::int64_t layers = 0;
  bool operator==(const Quantization&) const = default;
};

// The layers of a model that can compute in int8, by the name of their weight less ".weight", in
// the order of the forward pass: the convolutions of a stem but the first, then qkv, proj, fc1 and
// fc2 of every transformer block: nearly all of the work. Everything else is small, looks at
// pictures, or feeds an exponential. Empty for MobileFaceNet.
std::vector<std::string> int8_layers(const ModelConfig& config);

// Whether the model was calibrated, for the layers that there are, and its answers held in int8.
bool holds_in_int8(const ModelConfig& config);

// Error kBadFormat (context "config") for a kept layer that is none of int8_layers() or is named
// twice, and for shares outside [0, 1].
Status validate_quantization(const ModelConfig& config);

}  // namespace mien::core
