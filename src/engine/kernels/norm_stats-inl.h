// Mean and spread of a row, for the kernels that normalise. Included once per instruction set,
// inside no namespace, after vector_types-inl.h.
#if defined(MIEN_ENGINE_NORM_STATS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_ENGINE_NORM_STATS_INL_H_
#undef MIEN_ENGINE_NORM_STATS_INL_H_
#else
#define MIEN_ENGINE_NORM_STATS_INL_H_
#endif

#include <cmath>
#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

// Sum of (x - shift) or of its square; the two passes of a norm. Two accumulators hide the latency.
template <bool kSquare>
HWY_INLINE float SumRow(const float* HWY_RESTRICT x, std::size_t n, float shift) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto s = hn::Set(d, shift);
  auto a = hn::Zero(d);
  auto b = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto u = hn::Sub(hn::LoadU(d, x + i), s);
    const auto v = hn::Sub(hn::LoadU(d, x + i + lanes), s);
    a = kSquare ? hn::MulAdd(u, u, a) : hn::Add(a, u);
    b = kSquare ? hn::MulAdd(v, v, b) : hn::Add(b, v);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  for (; i < n; ++i) {
    const float u = x[i] - shift;
    sum += kSquare ? u * u : u;
  }
  return sum;
}

// (x - mean) * scale has mean 0 and variance 1.
struct RowStats {
  float mean;
  float scale;
};

HWY_INLINE RowStats StatsOfRow(const float* HWY_RESTRICT x, std::size_t n, float eps) {
  const float mean = SumRow<false>(x, n, 0.0F) / static_cast<float>(n);
  const float variance = SumRow<true>(x, n, mean) / static_cast<float>(n);
  return {mean, 1.0F / std::sqrt(variance + eps)};
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#endif  // MIEN_ENGINE_NORM_STATS_INL_H_
