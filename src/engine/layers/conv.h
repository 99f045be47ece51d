// Convolution with BatchNorm folded in, on channels-last pictures.
#pragma once

#include <memory>
#include <vector>

#include "core/mobilefacenet_spec.h"
#include "engine/weights.h"

namespace mien::engine {

// What a convolution does to its sums inside the primitive. PReLU is not here: oneDNN 2.6 has it as
// a post-op only in its reference code, hundreds of times slower than a pass of our own.
enum class ConvEpilogue { kNone, kRelu, kAddToDst };

// A convolution and the BatchNorm behind it as one convolution.
struct FoldedConv {
  std::vector<float> filters;  // [out, in / groups, kernel, kernel]
  std::vector<float> bias;     // [out]
};
// Reads <spec.name>.conv.weight and <spec.name>.bn.
FoldedConv fold_conv(const TensorSource& source, const core::ConvBlockSpec& spec);

// Side of the output for an input of this side.
std::size_t conv_out_side(const core::ConvBlockSpec& spec, std::size_t side);

// Filters of one layer: immutable, shared by sessions.
class ConvWeights {
 public:
  // Reads spec.name's tensors. `f32`: compute in f32 in every precision (for layers that read
  // pictures: three channels suit no bf16 kernel, and they are a small part of the work).
  static std::shared_ptr<const ConvWeights> read(std::shared_ptr<const Context> context,
                                                 const TensorSource& source,
                                                 const core::ConvBlockSpec& spec, bool f32);

  ConvWeights(std::shared_ptr<const Context> context, core::ConvBlockSpec spec, bool f32,
              std::vector<float> filters, std::vector<float> bias, std::vector<float> slopes);

  const core::ConvBlockSpec& spec() const { return spec_; }
  const std::vector<float>& slopes() const { return slopes_; }  // PReLU; empty without
  const Context& context() const { return *context_; }

  // How the layer's input and output are stored.
  ActKind kind() const { return f32_ ? ActKind::kF32 : context_->act(); }

 private:
  friend class Conv;

  std::shared_ptr<const Context> context_;
  core::ConvBlockSpec spec_;
  bool f32_;
  std::vector<float> bias_;
  std::vector<float> slopes_;
  PackedWeights packed_;
};

// A layer bound to a batch and size. Construct under ThreadScope; throws dnnl::error.
class Conv {
 public:
  Conv(std::shared_ptr<const ConvWeights> weights, std::size_t batch, std::size_t side,
       ConvEpilogue epilogue);

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t out_side() const { return out_side_; }
  std::size_t out_rows() const { return batch_ * out_side_ * out_side_; }
  const ConvWeights& weights() const { return *weights_; }
  const std::string& implementation() const { return implementation_; }

  // x: [batch, side, side, in], y: [batch, out_side, out_side, out] of weights().kind(). PReLU is
  // the caller's (see ConvChain).
  void run(const dnnl::stream& stream, const void* x, void* y, void* scratch);

 private:
  std::shared_ptr<const ConvWeights> weights_;
  std::size_t batch_;
  std::size_t out_side_;
  PrimitiveCall call_;
  std::size_t scratch_bytes_ = 0;
  std::size_t src_ = 0;
  std::size_t dst_ = 0;
  std::size_t scratch_ = 0;
  std::string implementation_;
};

}  // namespace mien::engine
