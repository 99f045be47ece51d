// Collects what a Tap is given into tensors.
#pragma once

#include "engine/tap.h"

namespace mien::engine {

// Activations of the first frame or picture are kept as they come first; others, which come pass by
// pass, are joined along their first axis.
class ActivationCollector : public Tap {
 public:
  explicit ActivationCollector(core::TensorMap& out) : out_(&out) {}

  void put(const std::string& name, std::span<const float> values,
           const core::Shape& shape) override;

 private:
  core::TensorMap* out_;
};

// f32 [..] -> the same values as F64.
core::Tensor widened(const core::Tensor& tensor);

}  // namespace mien::engine
