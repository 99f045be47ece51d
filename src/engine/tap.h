// A way to look inside a forward pass: tests and `mien infer --activations` hand one in; normal
// passes have none and pay nothing.
#pragma once

#include <span>
#include <string>

#include "core/tensor.h"

namespace mien::engine {

class Tap {
 public:
  virtual ~Tap() = default;
  // `values` are row-major of `shape`; valid during the call only.
  virtual void put(const std::string& name, std::span<const float> values,
                   const core::Shape& shape) = 0;
};

}  // namespace mien::engine
