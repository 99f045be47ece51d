// y = x W^T + b in int8: oneDNN multiplies u8 rows by s8 weights into s32, and one pass of our own
// finishes the sums (kernels/quantize.h).
//
// oneDNN 2.6 could finish them itself by post-ops, but only to f32 or bf16, which the next product
// would have to read again to be quantised by rows. So rows are taken in chunks whose sums stay in
// a core's cache: each thread multiplies a chunk and finishes it before the next, straight to
// activations, to the residual stream, or to the u8 rows of the next layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/kernels/quantize.h"
#include "engine/weights.h"

namespace mien::engine {

// Weights of one layer, quantised per output channel when made: w ~ scale * code with codes in
// -127..127. Immutable, shared by sessions. No copy in f32 is kept.
class QuantizedLinearWeights {
 public:
  // weight: [out, in] row-major; bias: [out] or empty. A channel with a weight that is not finite
  // gives NaN. `in` is at most 65536, so that sums fit 32 bits; throws std::runtime_error above.
  QuantizedLinearWeights(std::shared_ptr<const Context> context, const std::vector<float>& weight,
                         std::vector<float> bias, std::size_t in, std::size_t out);

  std::size_t in() const { return in_; }
  std::size_t out() const { return out_; }
  std::int32_t code_limit() const { return context_->code_limit(); }  // of the rows it multiplies

  // Of the output channels, [out].
  const std::vector<float>& scales() const { return scales_; }

 private:
  friend class QuantizedLinear;

  SumScales sum_scales() const {
    return {
        .offsets = offsets_.data(), .scales = scales_.data(), .bias = bias_.data(), .width = out_};
  }

  std::shared_ptr<const Context> context_;
  std::size_t in_;
  std::size_t out_;
  std::vector<float> bias_;  // zeros without one
  std::vector<float> scales_;
  std::vector<std::int32_t> offsets_;
  std::unique_ptr<const PackedWeights> packed_;
};

// What becomes of the sums.
enum class QuantizedOut {
  kAct,        // y: activations of the context's kind
  kGeluAct,    // the same behind GELU
  kGeluCodes,  // y: u8 rows behind GELU, with their scales
  kAddToDst,   // y += : into an f32 stream
};

// A layer bound to a number of rows, which may be 0. Construct under ThreadScope; throws
// dnnl::error.
class QuantizedLinear {
 public:
  QuantizedLinear(std::shared_ptr<const QuantizedLinearWeights> weights, std::size_t rows,
                  QuantizedOut out);

  // Bytes of workspace that run() needs.
  std::size_t scratch_bytes() const { return lanes_.size() * lane_bytes_; }

  // x: rows of code_limit(), [rows, in]; y: [rows, out], see QuantizedOut; y_scales: [rows], only
  // for kGeluCodes; scratch: scratch_bytes(), aligned to 64. No more threads than there were when
  // it was made. Results of a row depend on that row alone, to the last bit. Throws dnnl::error or
  // std::runtime_error when oneDNN fails.
  void run(const QuantizedRows& x, void* y, float* y_scales, void* scratch);

  // What oneDNN chose for the product, e.g. "brg:avx512_core_vnni". Empty without rows.
  const std::string& implementation() const { return implementation_; }

 private:
  // The product over one chunk of rows, and its places for src, dst and workspace.
  struct Product {
    PrimitiveCall call;
    std::size_t src = 0;
    std::size_t dst = 0;
    std::size_t scratch = 0;
  };
  // What a thread has to itself.
  struct Lane {
    dnnl::stream stream;
    Product whole;  // chunk_ rows
    Product last;   // what is left of the rows
  };

  Product make_product(std::size_t rows);
  std::size_t rows_of(std::size_t chunk) const;
  void run_chunk(Lane& lane, std::size_t chunk, const QuantizedRows& x, void* y, float* y_scales,
                 std::byte* scratch) const;
  void finish(std::int32_t* sums, std::size_t first, std::size_t rows, const float* scales, void* y,
              float* y_scales) const;

  std::shared_ptr<const QuantizedLinearWeights> weights_;
  QuantizedOut out_;
  std::size_t rows_;
  std::size_t chunk_ = 0;  // rows of all chunks but the last
  std::size_t chunks_ = 0;
  std::size_t sums_bytes_ = 0;
  std::size_t lane_bytes_ = 0;
  std::vector<Lane> lanes_;
  std::string implementation_;
};

}  // namespace mien::engine
