// From a file's tensors to what layers hold: plain f32 vectors, and matrices packed for oneDNN.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "engine/context.h"

namespace mien::engine {

// Fetches tensors by name under a prefix. The map was checked against the model's table before, so
// that names and shapes are right; a missing name is still an exception (see guarded()), not a
// crash.
class TensorSource {
 public:
  TensorSource(const core::TensorViewMap& tensors, std::string prefix)
      : tensors_(&tensors), prefix_(std::move(prefix)) {}

  std::vector<float> floats(const std::string& name) const;

  // `name` as the file has it.
  std::string full_name(const std::string& name) const { return prefix_ + name; }

  core::Shape shape(const std::string& name) const;
  bool has(const std::string& name) const;

  // The same tensors seen from `name` down: "blocks.0." for "blocks.0.norm1.weight".
  TensorSource under(const std::string& name) const { return {*tensors_, prefix_ + name}; }

 private:
  const core::TensorView& find(const std::string& name) const;

  const core::TensorViewMap* tensors_;
  std::string prefix_;
};

// <name>.bias, or nothing where there is none. Throws std::runtime_error unless it has `size`
// numbers: a bias that no table names (S2D's qkv over time has none) was checked by nobody.
std::vector<float> read_bias(const TensorSource& source, const std::string& name, std::size_t size);

// A BatchNorm as y = scale * x + shift (eps 1e-5), read from <name>.{weight,bias,running_mean,
// running_var}.
struct FoldedNorm {
  std::vector<float> scale;
  std::vector<float> shift;
};
FoldedNorm fold_batch_norm(const TensorSource& source, const std::string& name);

// One weight matrix or filter bank, shared by all sessions. It is kept in the layout that the first
// primitive asked for; a primitive that wants another gets (and shares) a second copy. Immutable to
// the outside; thread-safe.
class PackedWeights {
 public:
  // `values` in `plain` layout. `rounded`: round to bf16 now (for f32 arithmetic on bf16 weights).
  PackedWeights(std::shared_ptr<const Context> context, std::vector<float> values,
                dnnl::memory::desc plain, bool rounded);

  // Weights that are s8 already.
  PackedWeights(std::shared_ptr<const Context> context, std::vector<std::int8_t> values,
                dnnl::memory::desc plain);

  // The weights in `desc`, whose sizes must be those of `plain` up to a reshape of trailing ones.
  dnnl::memory packed(const dnnl::memory::desc& desc) const;

  const dnnl::memory::desc& plain() const { return plain_desc_; }

 private:
  std::shared_ptr<const Context> context_;
  dnnl::memory::desc plain_desc_;
  mutable std::mutex mutex_;
  mutable std::vector<float> values_;  // until the first packed(); one of the two
  mutable std::vector<std::int8_t> codes_;
  mutable std::vector<dnnl::memory> copies_;  // by layout
};

}  // namespace mien::engine
