// Between f32 and int8 for convolutions: maps behind a ReLU become u8 with one scale per picture,
// and the sums of int8 convolutions become maps again. Vectorised with Highway for the best
// instruction set of the CPU, on the calling thread. None of them allocates or fails.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/act.h"

namespace mien::engine {

// What follows a ReLU is 0 or more, so that codes need no sign: a value is scale * code, codes in
// 0..2 * limit + 1, with the `limit` of kernels/quantize.h. Returns the scale, which maps the
// largest value to the largest code; it is 0 for a map that is 0 (or below 1e-30), NaN for one with
// a value that is not finite. Values below 0 become 0.
float code_map(const void* map, ActKind kind, std::size_t count, std::int32_t limit,
               std::uint8_t* codes);

// What turns the sums of an int8 convolution into a map, per output channel [width].
struct MapScales {
  const float* scales = nullptr;  // of the channel's weights
  const float* bias = nullptr;
  std::size_t width = 0;
};

// y[r][n] = max(0, sum[r][n] * scales[n] * map_scale + bias[n]) over [rows, width]; with kF32 `y`
// may be the place of the sums.
void finish_relu(const std::int32_t* sums, float map_scale, std::size_t rows,
                 const MapScales& scales, ActKind kind, void* y);

}  // namespace mien::engine
