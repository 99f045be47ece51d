#include "export/weights.h"

#include <cmath>
#include <stdexcept>

#include "core/mobilefacenet_spec.h"

namespace mien::exporting {

const core::TensorView& Weights::find(const std::string& name) const {
  const auto it = tensors_->find(prefix_ + name);
  if (it == tensors_->end()) throw std::runtime_error("missing tensor '" + prefix_ + name + "'");
  return it->second;
}

std::vector<float> Weights::floats(const std::string& name) const {
  return core::to_f32(find(name));
}

core::Shape Weights::shape(const std::string& name) const {
  return find(name).shape;
}

FoldedNorm fold_batch_norm(const Weights& weights, const std::string& name) {
  const std::vector<float> weight = weights.floats(name + ".weight");
  const std::vector<float> bias = weights.floats(name + ".bias");
  const std::vector<float> mean = weights.floats(name + ".running_mean");
  const std::vector<float> variance = weights.floats(name + ".running_var");
  FoldedNorm folded;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double spread = static_cast<double>(variance[c]) + double{core::kBatchNormEps};
    const double scale = static_cast<double>(weight[c]) / std::sqrt(spread);
    folded.scale.push_back(scale);
    folded.shift.push_back(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * scale);
  }
  return folded;
}

}  // namespace mien::exporting
