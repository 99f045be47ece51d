// Loads and stores of activations as f32 vectors. Included once per instruction set by the kernels'
// .cpp files, inside HWY_BEFORE_NAMESPACE; needs hwy/highway.h before it.
#if defined(MIEN_ENGINE_VECTOR_TYPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_ENGINE_VECTOR_TYPES_INL_H_
#undef MIEN_ENGINE_VECTOR_TYPES_INL_H_
#else
#define MIEN_ENGINE_VECTOR_TYPES_INL_H_
#endif

#include <cstdint>

#include "core/tensor.h"
#include "engine/kernels/act.h"

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: packed buffers are padded to 16 floats.
using F32Tag = hn::CappedTag<float, 16>;
using F32Vec = hn::Vec<F32Tag>;

// The bits of x rounded to bf16 in the upper half of each lane, ties to even; NaN stays NaN.
template <class D32 = hn::RebindToUnsigned<F32Tag>>
HWY_INLINE hn::Vec<D32> RoundedBits(F32Vec x) {
  const F32Tag d;
  const D32 du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto up = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFU)));
  const auto quiet = hn::Set(du, 0x7FC00000U);
  const auto kept = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), quiet, up);
  (void)d;
  return hn::And(kept, hn::Set(du, 0xFFFF0000U));
}

// One policy per ActKind: vectors of F32Tag and single elements.
struct AccessF32 {
  using T = float;
  static HWY_INLINE F32Vec Load(const T* p) { return hn::LoadU(F32Tag(), p); }
  static HWY_INLINE void Store(F32Vec v, T* p) { hn::StoreU(v, F32Tag(), p); }
  static HWY_INLINE float Get(const T* p) { return *p; }
  static HWY_INLINE void Put(float v, T* p) { *p = v; }
};

struct AccessRounded : AccessF32 {
  static HWY_INLINE void Store(F32Vec v, T* p) {
    hn::StoreU(hn::BitCast(F32Tag(), RoundedBits(v)), F32Tag(), p);
  }
  static HWY_INLINE void Put(float v, T* p) { *p = core::bf16_to_f32(core::f32_to_bf16(v)); }
};

struct AccessBf16 {
  using T = std::uint16_t;
  static HWY_INLINE F32Vec Load(const T* p) {
    const hn::RebindToUnsigned<F32Tag> du;
    const hn::Rebind<std::uint16_t, F32Tag> d16;
    return hn::BitCast(F32Tag(), hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, p))));
  }
  static HWY_INLINE void Store(F32Vec v, T* p) {
    const hn::RebindToSigned<F32Tag> di;
    const hn::Rebind<std::uint16_t, F32Tag> d16;
    // After the shift every lane is in 0..65535, which the saturating demotion keeps.
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, hn::ShiftRight<16>(RoundedBits(v)))), d16, p);
  }
  static HWY_INLINE float Get(const T* p) { return core::bf16_to_f32(*p); }
  static HWY_INLINE void Put(float v, T* p) { *p = core::f32_to_bf16(v); }
};

// Calls f(Access{}) for the policy of `kind`.
template <class F>
HWY_INLINE void WithAccess(ActKind kind, const F& f) {
  switch (kind) {
    case ActKind::kF32: f(AccessF32()); break;
    case ActKind::kRounded: f(AccessRounded()); break;
    case ActKind::kBf16: f(AccessBf16()); break;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#endif  // MIEN_ENGINE_VECTOR_TYPES_INL_H_
