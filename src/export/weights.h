// A model's tensors as plain numbers, by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace mien::exporting {

// Fetches tensors under a prefix. The map was checked against the model's table and holds nothing
// else, so that names and shapes are right; a missing name is still an exception (which
// export_onnx() catches), not a crash. `tensors` outlive it.
class Weights {
 public:
  explicit Weights(const core::TensorViewMap& tensors, std::string prefix = "")
      : tensors_(&tensors), prefix_(std::move(prefix)) {}

  // Throw std::runtime_error where there is none.
  std::vector<float> floats(const std::string& name) const;
  core::Shape shape(const std::string& name) const;

  bool has(const std::string& name) const { return tensors_->contains(prefix_ + name); }

  // The same tensors seen from `name` down: "blocks.0." for "blocks.0.norm1.weight".
  Weights under(const std::string& name) const { return Weights(*tensors_, prefix_ + name); }

  // The whole name of one.
  std::string full(const std::string& name) const { return prefix_ + name; }

 private:
  const core::TensorView& find(const std::string& name) const;

  const core::TensorViewMap* tensors_;
  std::string prefix_;
};

// A BatchNorm as y = scale * x + shift, from <name>.{weight,bias,running_mean,running_var}.
struct FoldedNorm {
  std::vector<double> scale;
  std::vector<double> shift;
};
FoldedNorm fold_batch_norm(const Weights& weights, const std::string& name);

}  // namespace mien::exporting
