#include "engine/kernels/row_ops.h"

#include <algorithm>
#include <cmath>

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/row_ops.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include "engine/kernels/vector_types-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

// Two accumulators hide the latency.
float Dot(const float* HWY_RESTRICT x, const float* HWY_RESTRICT y, std::size_t n) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d);
  auto b = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), a);
    b = hn::MulAdd(hn::LoadU(d, x + i + lanes), hn::LoadU(d, y + i + lanes), b);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// to += factor * from.
HWY_INLINE void AddScaled(float* HWY_RESTRICT to, const float* HWY_RESTRICT from, float factor,
                          std::size_t n) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, factor);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::MulAdd(scale, hn::LoadU(d, from + i), hn::LoadU(d, to + i)), d, to + i);
  }
  for (; i < n; ++i) to[i] += factor * from[i];
}

void SubtractRow(float* rows, std::size_t count, const float* shift, std::size_t width) {
  for (std::size_t r = 0; r < count; ++r) AddScaled(rows + r * width, shift, -1.0F, width);
}

void AddWeighted(const float* rows, const float* weights, std::size_t count, std::size_t width,
                 float* sum) {
  for (std::size_t r = 0; r < count; ++r) {
    AddScaled(sum, rows + r * width, weights == nullptr ? 1.0F : weights[r], width);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(Dot);
HWY_EXPORT(SubtractRow);
HWY_EXPORT(AddWeighted);

float row_dot(const float* a, const float* b, std::size_t width) {
  return HWY_DYNAMIC_DISPATCH(Dot)(a, b, width);
}

void row_lengths(const float* rows, std::size_t count, std::size_t width, float* lengths) {
  for (std::size_t r = 0; r < count; ++r) {
    const float* row = rows + r * width;
    lengths[r] = std::sqrt(row_dot(row, row, width));
  }
}

void subtract_row(float* rows, std::size_t count, const float* shift, std::size_t width) {
  HWY_DYNAMIC_DISPATCH(SubtractRow)(rows, count, shift, width);
}

void weighted_mean(const float* rows, const float* weights, std::size_t count, std::size_t width,
                   float* mean) {
  std::fill(mean, mean + width, 0.0F);
  HWY_DYNAMIC_DISPATCH(AddWeighted)(rows, weights, count, width, mean);
  double total = static_cast<double>(count);
  if (weights != nullptr) {
    total = 0.0;
    for (std::size_t r = 0; r < count; ++r) total += static_cast<double>(weights[r]);
  }
  const auto scale = static_cast<float>(1.0 / total);
  for (std::size_t i = 0; i < width; ++i) mean[i] *= scale;
}

void add_weighted_rows(const float* rows, const float* weights, std::size_t count,
                       std::size_t width, float* sum) {
  HWY_DYNAMIC_DISPATCH(AddWeighted)(rows, weights, count, width, sum);
}

}  // namespace mien::engine
#endif  // HWY_ONCE
