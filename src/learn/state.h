// Between LibTorch modules and tensors in files.
#pragma once

#include <torch/torch.h>

#include <string>

#include "core/tensor.h"
#include "core/tensor_table.h"

namespace mien::learn {

// A contiguous CPU copy. Floating types, u8, i32, i64, bool.
core::Tensor to_core(const torch::Tensor& tensor);

// A LibTorch tensor with its own memory.
torch::Tensor to_torch(const core::TensorView& tensor);

// Parameters and buffers by dotted name ("blocks.0.attn.qkv.weight").
std::map<std::string, torch::Tensor> named_state(const torch::nn::Module& module);

// Lays the convolutions' weights out channels-last, which the activations then follow: on the CPU
// oneDNN needs no reordering between layers (MobileFaceNet trains 1.5 times as fast). Values, names
// and shapes stay.
void use_channels_last(torch::nn::Module& module);

struct LoadReport {
  std::vector<std::string> missing;     // in the module, not in the file: left as they were
  std::vector<std::string> unexpected;  // in the file, not in the module: ignored
};

// Copies tensors into the module by name. With `strict`, a missing name is an error; a shape that
// differs always is. BatchNorm's num_batches_tracked may be missing.
Result<LoadReport> load_state(torch::nn::Module& module, const core::TensorViewMap& tensors,
                              bool strict);

// The tensors of `table` out of the module. Error when one is missing.
Result<core::TensorMap> save_state(const torch::nn::Module& module, const core::TensorTable& table);

}  // namespace mien::learn
