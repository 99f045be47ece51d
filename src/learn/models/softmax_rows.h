// The softmax of attention's scores and its gradient, between f32 rows and bf16 rows, a row at a
// time: vectorised for the CPU that it runs on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mien::learn {

// Rows lie so many values apart that a row can be read and written as whole vectors: `columns`
// rounded up.
inline constexpr std::int64_t kPitchValues = 16;
inline std::int64_t pitch_of(std::int64_t columns) {
  return (columns + kPitchValues - 1) / kPitchValues * kPitchValues;
}

// p = softmax(scores + bias) by rows. scores: f32 [rows, pitch], overwritten; bias: f32 [pitch] if
// `bias_step` is 0, else rows that lie so far apart, or null; p: bf16 bits [rows, pitch], zeros
// behind the columns.
void softmax_rows(float* scores, const float* bias, std::size_t bias_step, std::size_t rows,
                  std::size_t columns, std::uint16_t* p);

// ds = p (dp - sum over the columns of dp p). dp: f32 [rows, pitch], finite behind the columns; p:
// as softmax_rows() left it; ds: bf16 bits [rows, pitch]; sum_of_rows: f32 [pitch] to which ds is
// added before it is rounded, or null.
void softmax_backward_rows(const float* dp, const std::uint16_t* p, std::size_t rows,
                           std::size_t columns, std::uint16_t* ds, float* sum_of_rows);

}  // namespace mien::learn
