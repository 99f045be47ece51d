// Convolution in int8 behind which a ReLU follows, on channels-last maps: oneDNN multiplies u8
// pictures by s8 filters into s32, and passes of our own make maps and codes of the sums
// (kernels/quantize_maps.h). Pictures have a scale each, so that one does not depend on another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/kernels/quantize_maps.h"
#include "engine/layers/conv.h"

namespace mien::engine {

// Filters of one layer, BatchNorm folded in, quantised per output channel. Immutable, shared by
// sessions. No copy in f32 is kept.
class QuantizedConvWeights {
 public:
  // Ungrouped and without PReLU; in * kernel^2 is at most 65536, so that sums fit 32 bits; throws
  // std::runtime_error otherwise.
  QuantizedConvWeights(std::shared_ptr<const Context> context, core::ConvBlockSpec spec,
                       const FoldedConv& folded);

  const core::ConvBlockSpec& spec() const { return spec_; }
  const Context& context() const { return *context_; }
  MapScales map_scales() const {
    return {.scales = scales_.data(), .bias = bias_.data(), .width = bias_.size()};
  }

 private:
  friend class QuantizedConv;

  std::shared_ptr<const Context> context_;
  core::ConvBlockSpec spec_;
  std::vector<float> scales_;
  std::vector<float> bias_;
  std::unique_ptr<const PackedWeights> packed_;
};

// A layer bound to a batch and size. Construct under ThreadScope; throws dnnl::error.
class QuantizedConv {
 public:
  QuantizedConv(std::shared_ptr<const QuantizedConvWeights> weights, std::size_t batch,
                std::size_t side);

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t out_side() const { return out_side_; }
  const QuantizedConvWeights& weights() const { return *weights_; }
  const std::string& implementation() const { return implementation_; }

  // codes: [batch, side, side, in], as code_map() gives them; sums: [batch, out_side, out_side,
  // out].
  void run(const dnnl::stream& stream, const std::uint8_t* codes, std::int32_t* sums,
           void* scratch);

 private:
  std::shared_ptr<const QuantizedConvWeights> weights_;
  std::size_t out_side_;
  PrimitiveCall call_;
  std::size_t scratch_bytes_ = 0;
  std::size_t src_ = 0;
  std::size_t dst_ = 0;
  std::size_t scratch_ = 0;
  std::string implementation_;
};

}  // namespace mien::engine
