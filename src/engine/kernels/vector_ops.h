// Row-wise work between the linear layers: LayerNorm, PReLU, sums, changes of type. Vectorised with
// Highway for the best instruction set of the CPU, parallel over rows. None of them allocates or
// fails.
#pragma once

#include <cstddef>

#include "engine/kernels/act.h"

namespace mien::engine {

struct NormParams {
  const float* gamma = nullptr;  // [width]
  const float* beta = nullptr;   // [width]
  float eps = 0.0F;
};

// A matrix in parts: `groups` blocks of `rows` consecutive rows of `width`, the blocks `stride`
// elements apart. Tokens of frames without their class token, for instance.
struct RowBlocks {
  std::size_t groups = 1;
  std::size_t rows = 0;
  std::size_t width = 0;
  std::size_t stride = 0;

  std::size_t total_rows() const { return groups * rows; }
};

// Rows in one piece.
inline RowBlocks plain_rows(std::size_t rows, std::size_t width) {
  return {1, rows, width, rows * width};
}

// out[r] = (x[r] - mean) / sqrt(var + eps) * gamma + beta, variance biased, per row. `x` is laid
// out as `blocks` says, `out` is contiguous [total_rows, width] of `kind`.
void layer_norm(const float* x, const RowBlocks& blocks, const NormParams& params, ActKind kind,
                void* out);

// x += a (+ b when not null). `x` as `blocks` says, a and b contiguous.
void add_rows(float* x, const RowBlocks& blocks, const float* a, const float* b);

// out = x > 0 ? x : slopes[channel] * x over [rows, channels]. In place when in == out and the
// kinds are of one size.
void prelu(const void* in, ActKind in_kind, const float* slopes, std::size_t rows,
           std::size_t channels, ActKind out_kind, void* out);

// f32 -> activation, and back.
void store_act(const float* in, std::size_t count, ActKind kind, void* out);
void load_act(const void* in, ActKind kind, std::size_t count, float* out);

// Rounds to the nearest bf16 (ties to even), in place.
void round_to_bf16(float* values, std::size_t count);

}  // namespace mien::engine
