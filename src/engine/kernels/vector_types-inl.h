// Loads and stores of activations as f32 vectors. Included once per instruction set by the kernels'
// .cpp files, inside HWY_BEFORE_NAMESPACE; needs hwy/highway.h before it.
#if defined(MIEN_ENGINE_VECTOR_TYPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_ENGINE_VECTOR_TYPES_INL_H_
#undef MIEN_ENGINE_VECTOR_TYPES_INL_H_
#else
#define MIEN_ENGINE_VECTOR_TYPES_INL_H_
#endif

#include <cstdint>

#include "core/bf16-inl.h"
#include "core/tensor.h"
#include "engine/kernels/act.h"

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using core::HWY_NAMESPACE::F32Tag;
using core::HWY_NAMESPACE::F32Vec;
using core::HWY_NAMESPACE::RoundedBits;

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
  static HWY_INLINE F32Vec Load(const T* p) { return core::HWY_NAMESPACE::LoadBf16(p); }
  static HWY_INLINE void Store(F32Vec v, T* p) { core::HWY_NAMESPACE::StoreBf16(v, p); }
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
