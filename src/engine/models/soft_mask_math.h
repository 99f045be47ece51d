// Arithmetic that the two factors of the soft mask share. The letters are those of
// core/adatosk_spec.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

#include "core/adatosk_spec.h"
#include "engine/kernels/row_ops.h"

namespace mien::engine {

// Multiply-accumulates that are worth waking a thread for.
inline constexpr std::size_t kMaskGrain = 32768;

inline double log_sigmoid(double x) {
  return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x)));
}

// Of rows whose lengths are known.
inline double cosine(const float* a, float a_length, const float* b, float b_length,
                     std::size_t width) {
  return static_cast<double>(row_dot(a, b, width) /
                             std::max(a_length * b_length, core::kMaskNormFloor));
}

inline void standardise(std::span<double> x) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double variance = 0.0;
  for (const double v : x) variance += (v - mean) * (v - mean) / n;
  constexpr double kFloor{core::kMaskStdFloor};
  const double scale = 1.0 / std::sqrt(variance + kFloor * kFloor);
  for (double& v : x) v = (v - mean) * scale;
}

inline void softmax(std::span<double> x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0.0;
  for (double& v : x) sum += v = std::exp(v - top);
  for (double& v : x) v /= sum;
}

}  // namespace mien::engine
