// Between f32 and int8: rows of activations become u8 with one scale each, and the sums of int8
// products become values again, with what follows the product in the same pass. Vectorised with
// Highway for the best instruction set of the CPU. None of them allocates or fails.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/act.h"
#include "engine/kernels/vector_ops.h"

namespace mien::engine {

// Rows in u8, symmetric about a zero in the middle: a value is scale * (code - zero), where zero is
// limit + 1 and codes are in 1..2 * limit + 1. The scale of a row maps its largest magnitude to
// `limit`. It is 0 for a row that is 0 (or below 1e-30), NaN for one with a value that is not
// finite, whose products are then NaN too.
struct QuantizedRows {
  std::uint8_t* codes = nullptr;  // [rows, width]
  float* scales = nullptr;        // [rows]
};

// The largest `limit`, and the one for CPUs whose u8 x s8 instruction saturates when it adds two
// products in 16 bits (those without VNNI): (2 * 63 + 1) * 127 * 2 = 32258 still fits.
inline constexpr std::int32_t kFullCodes = 127;
inline constexpr std::int32_t kNarrowCodes = 63;

inline std::int32_t zero_code(std::int32_t limit) {
  return limit + 1;
}

// Quantises [rows, width] activations. Parallel over rows.
void quantize_rows(const void* in, ActKind kind, std::size_t rows, std::size_t width,
                   std::int32_t limit, const QuantizedRows& out);

// layer_norm() and quantize_rows() of its result in one pass. Parallel over rows.
void layer_norm_quantize(const float* x, const RowBlocks& blocks, const NormParams& params,
                         std::int32_t limit, const QuantizedRows& out);

// What turns the sums of u8 x s8 products into values, per output channel [width]:
//   y[r][n] = (sum[r][n] - offsets[n]) * scales[n] * row_scale[r] + bias[n].
struct SumScales {
  const std::int32_t* offsets = nullptr;  // zero_code * sum of the channel's weights
  const float* scales = nullptr;          // of the channel's weights
  const float* bias = nullptr;
  std::size_t width = 0;
};

// Each of these finishes [rows, width] sums on the calling thread. GELU is exact (by erf) to 2e-7
// of |x|.
// y as an activation, with GELU or not.
void finish_act(const std::int32_t* sums, const float* row_scales, std::size_t rows,
                const SumScales& scales, bool gelu, ActKind kind, void* y);
// y is added to `stream`.
void finish_add(const std::int32_t* sums, const float* row_scales, std::size_t rows,
                const SumScales& scales, float* stream);
// GELU (to 6e-5), then quantised for the next product. Overwrites the sums.
void finish_gelu_quantize(std::int32_t* sums, const float* row_scales, std::size_t rows,
                          const SumScales& scales, std::int32_t limit, const QuantizedRows& y);

}  // namespace mien::engine
