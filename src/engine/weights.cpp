#include "engine/weights.h"

#include <cmath>
#include <stdexcept>

#include "core/mobilefacenet_spec.h"
#include "engine/kernels/vector_ops.h"

namespace mien::engine {
namespace {

// dst = src in another layout or type.
void reorder(const dnnl::memory& src, const dnnl::memory& dst, const dnnl::engine& engine) {
  dnnl::stream stream(engine);
  dnnl::reorder(src, dst).execute(stream, const_cast<dnnl::memory&>(src),
                                  const_cast<dnnl::memory&>(dst));
  stream.wait();
}

}  // namespace

const core::TensorView& TensorSource::find(const std::string& name) const {
  const auto it = tensors_->find(prefix_ + name);
  if (it == tensors_->end()) throw std::runtime_error("missing tensor '" + prefix_ + name + "'");
  return it->second;
}

std::vector<float> TensorSource::floats(const std::string& name) const {
  return core::to_f32(find(name));
}

core::Shape TensorSource::shape(const std::string& name) const {
  return find(name).shape;
}

bool TensorSource::has(const std::string& name) const {
  return tensors_->contains(prefix_ + name);
}

std::vector<float> read_bias(const TensorSource& source, const std::string& name,
                             std::size_t size) {
  if (!source.has(name + ".bias")) return {};
  std::vector<float> bias = source.floats(name + ".bias");
  if (bias.size() != size) throw std::runtime_error("'" + name + ".bias' does not fit its weight");
  return bias;
}

FoldedNorm fold_batch_norm(const TensorSource& source, const std::string& name) {
  const auto weight = source.floats(name + ".weight");
  const auto bias = source.floats(name + ".bias");
  const auto mean = source.floats(name + ".running_mean");
  const auto variance = source.floats(name + ".running_var");
  FoldedNorm folded;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    // In double, so that folding costs no accuracy against the unfolded sum.
    const auto wide = [c](const std::vector<float>& v) { return static_cast<double>(v[c]); };
    const double scale = wide(weight) / std::sqrt(wide(variance) + double{core::kBatchNormEps});
    folded.scale.push_back(static_cast<float>(scale));
    folded.shift.push_back(static_cast<float>(wide(bias) - wide(mean) * scale));
  }
  return folded;
}

PackedWeights::PackedWeights(std::shared_ptr<const Context> context, std::vector<float> values,
                             dnnl::memory::desc plain, bool rounded)
    : context_(std::move(context)), plain_desc_(std::move(plain)), values_(std::move(values)) {
  if (rounded) round_to_bf16(values_.data(), values_.size());
}

PackedWeights::PackedWeights(std::shared_ptr<const Context> context,
                             std::vector<std::int8_t> values, dnnl::memory::desc plain)
    : context_(std::move(context)), plain_desc_(std::move(plain)), codes_(std::move(values)) {}

dnnl::memory PackedWeights::packed(const dnnl::memory::desc& desc) const {
  const std::lock_guard lock(mutex_);
  for (const dnnl::memory& copy : copies_) {
    if (copy.get_desc() == desc) return copy;
  }
  dnnl::memory made(desc, context_->engine());
  if (copies_.empty()) {
    void* from = codes_.empty() ? static_cast<void*>(values_.data()) : codes_.data();
    reorder(dnnl::memory(plain_desc_, context_->engine(), from), made, context_->engine());
    values_ = {};
    codes_ = {};
  } else {
    reorder(copies_.front(), made, context_->engine());
  }
  copies_.push_back(made);
  return made;
}

}  // namespace mien::engine
