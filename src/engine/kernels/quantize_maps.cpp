#include "engine/kernels/quantize_maps.h"

#include <algorithm>
#include <cmath>

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/quantize_maps.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include "engine/kernels/vector_types-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

using I32Tag = hn::RebindToSigned<F32Tag>;
using U8Tag = hn::Rebind<std::uint8_t, F32Tag>;

// NaN when a value is not finite: x - x is 0 or NaN.
template <class In>
HWY_INLINE float Largest(const typename In::T* HWY_RESTRICT x, std::size_t n) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  auto top = hn::Zero(d);
  auto odd = hn::Zero(d);
  float last = 0.0F;
  float last_odd = 0.0F;
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = In::Load(x + i);
    top = hn::Max(top, v);
    odd = hn::Add(odd, hn::Sub(v, v));
  }
  for (; i < n; ++i) {
    const float v = In::Get(x + i);
    last = std::max(last, v);
    last_odd += v - v;
  }
  const float finite = hn::GetLane(hn::SumOfLanes(d, odd)) + last_odd;
  return std::max(hn::GetLane(hn::MaxOfLanes(d, top)), last) + finite;
}

template <class In>
HWY_INLINE void CodeAll(const typename In::T* HWY_RESTRICT x, std::size_t n, float inverse,
                        float most, std::uint8_t* HWY_RESTRICT codes) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, inverse);
  const auto top = hn::Set(d, most);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    // The comparisons put NaN inside the limits, too: its code means nothing, but it is one.
    const auto held = hn::Max(hn::Min(hn::Mul(In::Load(x + i), scale), top), hn::Zero(d));
    hn::StoreU(hn::DemoteTo(U8Tag(), hn::NearestInt(held)), U8Tag(), codes + i);
  }
  for (; i < n; ++i) {
    const float wide = In::Get(x + i) * inverse;
    const float held = wide > 0.0F ? std::min(wide, most) : 0.0F;
    codes[i] = static_cast<std::uint8_t>(std::nearbyint(held));
  }
}

float CodeMap(const void* map, ActKind kind, std::size_t count, std::int32_t limit,
              std::uint8_t* codes) {
  const auto most = static_cast<float>(2 * limit + 1);
  float result = 0.0F;
  WithAccess(kind, [&](auto access) {
    using In = decltype(access);
    const auto* x = static_cast<const typename In::T*>(map);
    const float largest = Largest<In>(x, count);
    const bool nothing = largest <= 1e-30F;  // NaN is something
    CodeAll<In>(x, count, nothing ? 0.0F : most / largest, most, codes);
    result = nothing ? 0.0F : largest / most;
  });
  return result;
}

void FinishRelu(const std::int32_t* sums, float map_scale, std::size_t rows, const MapScales& s,
                ActKind kind, void* y) {
  const F32Tag d;
  const I32Tag di;
  const std::size_t lanes = hn::Lanes(d);
  const auto of_map = hn::Set(d, map_scale);
  WithAccess(kind, [&](auto access) {
    using Out = decltype(access);
    auto* out = static_cast<typename Out::T*>(y);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::int32_t* row = sums + r * s.width;
      typename Out::T* to = out + r * s.width;
      std::size_t i = 0;
      for (; i + lanes <= s.width; i += lanes) {
        const auto sum = hn::ConvertTo(d, hn::LoadU(di, row + i));
        const auto scaled = hn::Mul(sum, hn::Mul(hn::LoadU(d, s.scales + i), of_map));
        Out::Store(hn::Max(hn::Zero(d), hn::Add(scaled, hn::LoadU(d, s.bias + i))), to + i);
      }
      for (; i < s.width; ++i) {
        const float value = static_cast<float>(row[i]) * (s.scales[i] * map_scale) + s.bias[i];
        Out::Put(std::max(value, 0.0F), to + i);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(CodeMap);
HWY_EXPORT(FinishRelu);

float code_map(const void* map, ActKind kind, std::size_t count, std::int32_t limit,
               std::uint8_t* codes) {
  return HWY_DYNAMIC_DISPATCH(CodeMap)(map, kind, count, limit, codes);
}

void finish_relu(const std::int32_t* sums, float map_scale, std::size_t rows,
                 const MapScales& scales, ActKind kind, void* y) {
  HWY_DYNAMIC_DISPATCH(FinishRelu)(sums, map_scale, rows, scales, kind, y);
}

}  // namespace mien::engine
#endif  // HWY_ONCE
