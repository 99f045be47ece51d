// The tensors a model is made of: one table per architecture, shared by engine and learn, so that
// both speak the parameter names of the official checkpoints.
#pragma once

#include <string>
#include <vector>

#include "core/model_config.h"
#include "core/tensor.h"

namespace mien::core {

struct TensorSpec {
  std::string name;
  Shape shape;
  bool buffer = false;  // BatchNorm statistics: saved, not trained
};

using TensorTable = std::vector<TensorSpec>;

// Every tensor a model of this config has, in the order of the forward pass. The optional I64
// scalars
// `*.num_batches_tracked` of PyTorch's BatchNorm are not listed: nothing at run time needs them.
TensorTable tensor_table(const ModelConfig& config);

// Error kBadFormat naming the first tensor that is missing, of the wrong shape or not of a floating
// type. Tensors that the table does not name are ignored.
Status check_tensors(const TensorTable& table, const TensorViewMap& tensors);

// Trained numbers: elements of the table's tensors that are not buffers.
std::int64_t parameter_count(const TensorTable& table);

}  // namespace mien::core
