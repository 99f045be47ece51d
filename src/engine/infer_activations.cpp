#include "engine/infer_activations.h"

namespace mien::engine {
namespace {

bool of_first_only(const std::string& name) {
  return name.ends_with(".f0") || name.find(".img0") != std::string::npos ||
         name.ends_with(".tok0_3");
}

}  // namespace

void ActivationCollector::put(const std::string& name, std::span<const float> values,
                              const core::Shape& shape) {
  const auto [it, is_new] = out_->try_emplace(name);
  core::Tensor& tensor = it->second;
  if (is_new) {
    tensor = core::Tensor::from_f32(values, shape);
    return;
  }
  if (of_first_only(name) || tensor.shape.empty()) return;
  const auto bytes = std::as_bytes(values);
  tensor.bytes.insert(tensor.bytes.end(), bytes.begin(), bytes.end());
  tensor.shape[0] += shape[0];
}

core::Tensor widened(const core::Tensor& tensor) {
  core::Tensor wide = core::Tensor::zeros(core::DType::kF64, tensor.shape);
  const auto from = tensor.as<float>();
  const auto to = wide.as<double>();
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = static_cast<double>(from[i]);
  return wide;
}

}  // namespace mien::engine
