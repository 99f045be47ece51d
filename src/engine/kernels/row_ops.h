// Products and means of rows of f32: what the soft mask and the pooling of tokens are made of.
// Vectorised with Highway for the best instruction set of the CPU, on the calling thread. None of
// them allocates or fails.
#pragma once

#include <cstddef>

namespace mien::engine {

// sum_i a[i] b[i].
float row_dot(const float* a, const float* b, std::size_t width);

// lengths[r] = |row r| of rows [count, width].
void row_lengths(const float* rows, std::size_t count, std::size_t width, float* lengths);

// rows[r] -= shift, in place: rows [count, width], shift [width].
void subtract_row(float* rows, std::size_t count, const float* shift, std::size_t width);

// mean = sum_r weights[r] rows[r] / sum_r weights[r] over rows [count, width]; every weight is 1
// when `weights` is null. count >= 1, and the sum of the weights is not 0.
void weighted_mean(const float* rows, const float* weights, std::size_t count, std::size_t width,
                   float* mean);

// sum += sum_r weights[r] rows[r]: rows [count, width], sum [width].
void add_weighted_rows(const float* rows, const float* weights, std::size_t count,
                       std::size_t width, float* sum);

}  // namespace mien::engine
