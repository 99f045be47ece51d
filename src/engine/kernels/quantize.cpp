#include "engine/kernels/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/parallel.h"

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/quantize.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "engine/kernels/vector_types-inl.h"
#include "engine/kernels/gelu-inl.h"
#include "engine/kernels/norm_stats-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

using I32Tag = hn::RebindToSigned<F32Tag>;
using U8Tag = hn::Rebind<std::uint8_t, F32Tag>;

// The largest magnitude seen, and whether all was finite: x - x is 0 or NaN.
struct Extent {
  F32Vec top;
  F32Vec odd;
  float last_top = 0.0F;
  float last_odd = 0.0F;

  HWY_INLINE Extent() : top(hn::Zero(F32Tag())), odd(hn::Zero(F32Tag())) {}

  HWY_INLINE void See(F32Vec x) {
    top = hn::Max(top, hn::Abs(x));
    odd = hn::Add(odd, hn::Sub(x, x));
  }
  HWY_INLINE void SeeOne(float x) {
    last_top = std::max(last_top, std::abs(x));
    last_odd += x - x;
  }
  // NaN when something was not finite.
  HWY_INLINE float Largest() const {
    const F32Tag d;
    const float vectors = hn::GetLane(hn::MaxOfLanes(d, top));
    const float finite = hn::GetLane(hn::SumOfLanes(d, odd)) + last_odd;
    return std::max(vectors, last_top) + finite;
  }
};

// Values of a row to its codes.
struct Coder {
  float scale;
  float inverse;
  float limit;
  std::int32_t zero;

  HWY_INLINE Coder(float largest, std::int32_t most)
      : limit(static_cast<float>(most)), zero(zero_code(most)) {
    const bool nothing = largest <= 1e-30F;  // NaN is something
    scale = nothing ? 0.0F : largest / limit;
    inverse = nothing ? 0.0F : limit / largest;
  }

  // The comparisons put NaN inside the limits, too: its code means nothing, but it is one.
  HWY_INLINE void Store(F32Vec x, std::uint8_t* to) const {
    const F32Tag d;
    const auto wide = hn::Mul(x, hn::Set(d, inverse));
    const auto held = hn::Max(hn::Min(wide, hn::Set(d, limit)), hn::Set(d, -limit));
    const auto code = hn::Add(hn::NearestInt(held), hn::Set(I32Tag(), zero));
    hn::StoreU(hn::DemoteTo(U8Tag(), code), U8Tag(), to);
  }
  HWY_INLINE void Put(float x, std::uint8_t* to) const {
    const float wide = x * inverse;
    const float held = wide > -limit ? std::min(wide, limit) : -limit;
    *to = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::nearbyint(held)) + zero);
  }
};

template <class In>
HWY_INLINE float QuantizeRow(const typename In::T* HWY_RESTRICT x, std::size_t n,
                             std::int32_t limit, std::uint8_t* HWY_RESTRICT codes) {
  const std::size_t lanes = hn::Lanes(F32Tag());
  Extent extent;
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) extent.See(In::Load(x + i));
  for (; i < n; ++i) extent.SeeOne(In::Get(x + i));
  const Coder coder(extent.Largest(), limit);
  for (i = 0; i + lanes <= n; i += lanes) coder.Store(In::Load(x + i), codes + i);
  for (; i < n; ++i) coder.Put(In::Get(x + i), codes + i);
  return coder.scale;
}

void QuantizeRows(const void* in, ActKind kind, std::size_t width, std::int32_t limit,
                  const QuantizedRows& out, std::size_t begin, std::size_t end) {
  WithAccess(kind, [&](auto access) {
    using In = decltype(access);
    const auto* from = static_cast<const typename In::T*>(in);
    for (std::size_t r = begin; r < end; ++r) {
      out.scales[r] = QuantizeRow<In>(from + r * width, width, limit, out.codes + r * width);
    }
  });
}

// The normalised row is computed twice rather than stored: it is in the nearest cache.
HWY_INLINE float NormQuantizeRow(const float* HWY_RESTRICT x, std::size_t n, const NormParams& p,
                                 std::int32_t limit, std::uint8_t* HWY_RESTRICT codes) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const RowStats stats = StatsOfRow(x, n, p.eps);
  const auto mean = hn::Set(d, stats.mean);
  const auto spread = hn::Set(d, stats.scale);
  const auto vector_at = [&](std::size_t i) {
    const auto y = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean), spread);
    return hn::MulAdd(y, hn::LoadU(d, p.gamma + i), hn::LoadU(d, p.beta + i));
  };
  const auto one_at = [&](std::size_t i) {
    return (x[i] - stats.mean) * stats.scale * p.gamma[i] + p.beta[i];
  };
  Extent extent;
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) extent.See(vector_at(i));
  for (; i < n; ++i) extent.SeeOne(one_at(i));
  const Coder coder(extent.Largest(), limit);
  for (i = 0; i + lanes <= n; i += lanes) coder.Store(vector_at(i), codes + i);
  for (; i < n; ++i) coder.Put(one_at(i), codes + i);
  return coder.scale;
}

void NormQuantizeRows(const float* x, const RowBlocks& b, const NormParams& p, std::int32_t limit,
                      const QuantizedRows& out, std::size_t begin, std::size_t end) {
  for (std::size_t r = begin; r < end; ++r) {
    const float* row = x + (r / b.rows) * b.stride + (r % b.rows) * b.width;
    out.scales[r] = NormQuantizeRow(row, b.width, p, limit, out.codes + r * b.width);
  }
}

// Where the values of a row go: to activations, onto a stream, or, as bits, back into the place of
// their sums until the row's largest is known.
template <class Out>
struct ActSink {
  typename Out::T* to;
  HWY_INLINE void Store(std::size_t i, F32Vec v) const { Out::Store(v, to + i); }
  HWY_INLINE void Put(std::size_t i, float v) const { Out::Put(v, to + i); }
};

struct AddSink {
  float* to;
  HWY_INLINE void Store(std::size_t i, F32Vec v) const {
    const F32Tag d;
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), v), d, to + i);
  }
  HWY_INLINE void Put(std::size_t i, float v) const { to[i] += v; }
};

struct BitSink {
  std::int32_t* row;
  Extent* extent;
  HWY_INLINE void Store(std::size_t i, F32Vec v) const {
    extent->See(v);
    hn::StoreU(hn::BitCast(I32Tag(), v), I32Tag(), row + i);
  }
  HWY_INLINE void Put(std::size_t i, float v) const {
    extent->SeeOne(v);
    row[i] = std::bit_cast<std::int32_t>(v);
  }
};

// Gives the sink the values of one row of sums.
template <Curve kCurve, class Sink>
HWY_INLINE void FinishRow(const std::int32_t* sums, float row_scale, const SumScales& s,
                          const Sink& sink) {
  const F32Tag d;
  const I32Tag di;
  const std::size_t lanes = hn::Lanes(d);
  const auto row = hn::Set(d, row_scale);
  std::size_t i = 0;
  for (; i + lanes <= s.width; i += lanes) {
    const auto sum = hn::Sub(hn::LoadU(di, sums + i), hn::LoadU(di, s.offsets + i));
    const auto scaled = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, s.scales + i));
    const auto value = hn::MulAdd(scaled, row, hn::LoadU(d, s.bias + i));
    sink.Store(i, Curved<kCurve>(value));
  }
  for (; i < s.width; ++i) {
    const float value =
        static_cast<float>(sums[i] - s.offsets[i]) * s.scales[i] * row_scale + s.bias[i];
    sink.Put(i, kCurve == Curve::kNone ? value : GeluOne(value));
  }
}

void FinishAct(const std::int32_t* sums, const float* row_scales, std::size_t rows,
               const SumScales& s, bool gelu, ActKind kind, void* y) {
  WithAccess(kind, [&](auto access) {
    using Out = decltype(access);
    for (std::size_t r = 0; r < rows; ++r) {
      const ActSink<Out> sink{static_cast<typename Out::T*>(y) + r * s.width};
      if (gelu) {
        FinishRow<Curve::kGelu>(sums + r * s.width, row_scales[r], s, sink);
      } else {
        FinishRow<Curve::kNone>(sums + r * s.width, row_scales[r], s, sink);
      }
    }
  });
}

void FinishAdd(const std::int32_t* sums, const float* row_scales, std::size_t rows,
               const SumScales& s, float* stream) {
  for (std::size_t r = 0; r < rows; ++r) {
    FinishRow<Curve::kNone>(sums + r * s.width, row_scales[r], s, AddSink{stream + r * s.width});
  }
}

void FinishGeluQuantize(std::int32_t* sums, const float* row_scales, std::size_t rows,
                        const SumScales& s, std::int32_t limit, const QuantizedRows& y) {
  const F32Tag d;
  const I32Tag di;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t r = 0; r < rows; ++r) {
    std::int32_t* row = sums + r * s.width;
    Extent extent;
    FinishRow<Curve::kCoarseGelu>(row, row_scales[r], s, BitSink{row, &extent});
    const Coder coder(extent.Largest(), limit);
    std::uint8_t* codes = y.codes + r * s.width;
    std::size_t i = 0;
    for (; i + lanes <= s.width; i += lanes) {
      coder.Store(hn::BitCast(d, hn::LoadU(di, row + i)), codes + i);
    }
    for (; i < s.width; ++i) coder.Put(std::bit_cast<float>(row[i]), codes + i);
    y.scales[r] = coder.scale;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(QuantizeRows);
HWY_EXPORT(NormQuantizeRows);
HWY_EXPORT(FinishAct);
HWY_EXPORT(FinishAdd);
HWY_EXPORT(FinishGeluQuantize);

namespace {

// Rows with as many elements as are worth waking a thread for.
std::size_t grain_rows(std::size_t width) {
  return 16384 / (width + 1) + 1;
}

}  // namespace

void quantize_rows(const void* in, ActKind kind, std::size_t rows, std::size_t width,
                   std::int32_t limit, const QuantizedRows& out) {
  parallel_ranges(rows, grain_rows(width), [&](std::size_t begin, std::size_t end, int) {
    HWY_DYNAMIC_DISPATCH(QuantizeRows)(in, kind, width, limit, out, begin, end);
  });
}

void layer_norm_quantize(const float* x, const RowBlocks& blocks, const NormParams& params,
                         std::int32_t limit, const QuantizedRows& out) {
  parallel_ranges(blocks.total_rows(), grain_rows(blocks.width),
                  [&](std::size_t begin, std::size_t end, int) {
                    HWY_DYNAMIC_DISPATCH(NormQuantizeRows)
                    (x, blocks, params, limit, out, begin, end);
                  });
}

void finish_act(const std::int32_t* sums, const float* row_scales, std::size_t rows,
                const SumScales& scales, bool gelu, ActKind kind, void* y) {
  HWY_DYNAMIC_DISPATCH(FinishAct)(sums, row_scales, rows, scales, gelu, kind, y);
}

void finish_add(const std::int32_t* sums, const float* row_scales, std::size_t rows,
                const SumScales& scales, float* stream) {
  HWY_DYNAMIC_DISPATCH(FinishAdd)(sums, row_scales, rows, scales, stream);
}

void finish_gelu_quantize(std::int32_t* sums, const float* row_scales, std::size_t rows,
                          const SumScales& scales, std::int32_t limit, const QuantizedRows& y) {
  HWY_DYNAMIC_DISPATCH(FinishGeluQuantize)(sums, row_scales, rows, scales, limit, y);
}

}  // namespace mien::engine
#endif  // HWY_ONCE
