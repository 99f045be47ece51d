#include "core/tensor_table.h"

#include "core/adatosk_spec.h"
#include "core/mobilefacenet_spec.h"
#include "core/s2d_spec.h"
#include "core/videomae_spec.h"

namespace mien::core {

TensorTable tensor_table(const ModelConfig& config) {
  switch (config.arch) {
    case Arch::kMobileFaceNet: return mobilefacenet_table(config.mobilefacenet);
    case Arch::kS2D: return s2d_table(config.s2d);
    case Arch::kVideoMae: return videomae_table(config.videomae);
    case Arch::kAdaTosk: return adatosk_table(config.adatosk);
  }
  return {};
}

Status check_tensors(const TensorTable& table, const TensorViewMap& tensors) {
  for (const TensorSpec& spec : table) {
    const auto it = tensors.find(spec.name);
    if (it == tensors.end()) {
      return make_error(ErrorCode::kBadFormat, "missing tensor", spec.name);
    }
    const TensorView& tensor = it->second;
    if (tensor.shape != spec.shape) {
      return make_error(ErrorCode::kBadFormat,
                        "has shape " + shape_string(tensor.shape) + ", the config asks for " +
                            shape_string(spec.shape),
                        spec.name);
    }
    const bool floating = tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 ||
                          tensor.dtype == DType::kBF16 || tensor.dtype == DType::kF64;
    if (!floating) {
      return make_error(ErrorCode::kBadFormat,
                        std::string("has element type ") + dtype_name(tensor.dtype) +
                            ", a floating type is needed",
                        spec.name);
    }
  }
  return {};
}

std::int64_t parameter_count(const TensorTable& table) {
  std::int64_t count = 0;
  for (const TensorSpec& spec : table) {
    if (!spec.buffer) count += static_cast<std::int64_t>(element_count(spec.shape));
  }
  return count;
}

}  // namespace mien::core
