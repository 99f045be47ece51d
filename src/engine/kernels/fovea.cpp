#include "engine/kernels/fovea.h"

#include <algorithm>
#include <limits>

#include "engine/parallel.h"

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/fovea.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "engine/kernels/vector_types-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

// exp(x) of `n` values in place, through vectors with a copy for the tail.
HWY_INLINE void ExpInPlace(float* x, std::size_t n) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Exp(d, hn::LoadU(d, x + i)), d, x + i);
  if (i == n) return;
  HWY_ALIGN float tail[16] = {};
  std::copy(x + i, x + n, tail);
  hn::Store(hn::Exp(d, hn::Load(d, tail)), d, tail);
  std::copy(tail, tail + (n - i), x + i);
}

// One frame. top and sum: [channels]; row: [channels] of work.
void FoveaFrame(float* u, const float* v, std::size_t places, std::size_t channels, float smooth,
                ActKind kind, void* out, float* top, float* sum) {
  constexpr std::size_t kRow = 1024;  // the config bounds hidden_dim
  float row[kRow];
  std::fill(top, top + channels, std::numeric_limits<float>::lowest());
  std::fill(sum, sum + channels, 0.0F);
  for (std::size_t i = 0; i < places; ++i) {
    for (std::size_t c = 0; c < channels; ++c)
      top[c] = std::max(top[c], u[i * channels + c] * smooth);
  }
  for (std::size_t i = 0; i < places; ++i) {
    for (std::size_t c = 0; c < channels; ++c) row[c] = u[i * channels + c] * smooth - top[c];
    ExpInPlace(row, channels);
    for (std::size_t c = 0; c < channels; ++c) {
      sum[c] += row[c];
      u[i * channels + c] *= row[c];
    }
  }
  for (std::size_t c = 0; c < channels; ++c) sum[c] = 1.0F / sum[c];
  WithAccess(kind, [&](auto access) {
    using Out = decltype(access);
    auto* to = static_cast<typename Out::T*>(out);
    for (std::size_t i = 0; i < places; ++i) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t at = i * channels + c;
        u[at] *= sum[c];
        Out::Put(u[at] + v[at], to + at);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(FoveaFrame);

void fovea(float* u, const float* v, std::size_t frames, std::size_t places, std::size_t channels,
           float smooth, ActKind kind, void* out, float* scratch) {
  const float factor = smooth == 0.0F ? 1.0F : smooth;
  const std::size_t size = places * channels;
  parallel_ranges(frames, 8192 / (size + 1) + 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t f = begin; f < end; ++f) {
      float* top = scratch + f * 2 * channels;
      HWY_DYNAMIC_DISPATCH(FoveaFrame)
      (u + f * size, v + f * size, places, channels, factor, kind, act_at(out, kind, f * size), top,
       top + channels);
    }
  });
}

}  // namespace mien::engine
#endif  // HWY_ONCE
