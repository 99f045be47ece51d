#include "learn/state.h"

#include <cstring>

namespace mien::learn {
namespace {

core::DType core_type(torch::ScalarType type) {
  switch (type) {
    case torch::kDouble: return core::DType::kF64;
    case torch::kHalf: return core::DType::kF16;
    case torch::kBFloat16: return core::DType::kBF16;
    case torch::kLong: return core::DType::kI64;
    case torch::kInt: return core::DType::kI32;
    case torch::kByte: return core::DType::kU8;
    case torch::kBool: return core::DType::kBool;
    default: return core::DType::kF32;
  }
}

torch::ScalarType torch_type(core::DType type) {
  switch (type) {
    case core::DType::kF64: return torch::kDouble;
    case core::DType::kF32: return torch::kFloat;
    case core::DType::kF16: return torch::kHalf;
    case core::DType::kBF16: return torch::kBFloat16;
    case core::DType::kI64: return torch::kLong;
    case core::DType::kI32: return torch::kInt;
    case core::DType::kI16: return torch::kShort;
    case core::DType::kI8: return torch::kChar;
    case core::DType::kU8: return torch::kByte;
    case core::DType::kBool: return torch::kBool;
  }
  return torch::kFloat;
}

bool optional_entry(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

}  // namespace

core::Tensor to_core(const torch::Tensor& tensor) {
  const torch::Tensor source = tensor.detach().cpu().contiguous();
  core::Tensor out = core::Tensor::zeros(core_type(source.scalar_type()), source.sizes().vec());
  std::memcpy(out.bytes.data(), source.data_ptr(), out.bytes.size());
  return out;
}

torch::Tensor to_torch(const core::TensorView& tensor) {
  torch::Tensor out = torch::empty(tensor.shape, torch_type(tensor.dtype));
  std::memcpy(out.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

std::map<std::string, torch::Tensor> named_state(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> out;
  for (const auto& item : module.named_parameters()) out[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) out[item.key()] = item.value();
  return out;
}

void use_channels_last(torch::nn::Module& module) {
  for (torch::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
}

Result<LoadReport> load_state(torch::nn::Module& module, const core::TensorViewMap& tensors,
                              bool strict) {
  const torch::NoGradGuard no_grad;
  LoadReport report;
  auto state = named_state(module);
  for (auto& [name, target] : state) {
    const auto it = tensors.find(name);
    if (it == tensors.end()) {
      if (strict && !optional_entry(name)) {
        return make_error(ErrorCode::kBadFormat, "missing tensor", name);
      }
      report.missing.push_back(name);
      continue;
    }
    if (it->second.shape != target.sizes().vec()) {
      return make_error(ErrorCode::kBadFormat,
                        "has shape " + core::shape_string(it->second.shape) + ", the model has " +
                            core::shape_string(target.sizes().vec()),
                        name);
    }
    target.copy_(to_torch(it->second));
  }
  for (const auto& [name, view] : tensors) {
    if (!state.contains(name)) report.unexpected.push_back(name);
  }
  return report;
}

Result<core::TensorMap> save_state(const torch::nn::Module& module,
                                   const core::TensorTable& table) {
  const auto state = named_state(module);
  core::TensorMap out;
  for (const core::TensorSpec& spec : table) {
    const auto it = state.find(spec.name);
    if (it == state.end()) {
      return make_error(ErrorCode::kInternal, "the module has no such tensor", spec.name);
    }
    out[spec.name] = to_core(it->second);
  }
  return out;
}

}  // namespace mien::learn
