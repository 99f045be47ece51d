// bf16 rows as vectors of f32. Included once per instruction set by kernels' .cpp files; needs
// hwy/highway.h before it. Nothing in core itself is compiled with it.
#if defined(MIEN_CORE_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_CORE_BF16_INL_H_
#undef MIEN_CORE_BF16_INL_H_
#else
#define MIEN_CORE_BF16_INL_H_
#endif

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace mien::core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: packed buffers are padded to 16 floats.
using F32Tag = hn::CappedTag<float, 16>;
using F32Vec = hn::Vec<F32Tag>;

// The bits of x rounded to bf16 in the upper half of each lane, ties to even; NaN stays NaN.
template <class D32 = hn::RebindToUnsigned<F32Tag>>
HWY_INLINE hn::Vec<D32> RoundedBits(F32Vec x) {
  const D32 du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto up = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFU)));
  const auto quiet = hn::Set(du, 0x7FC00000U);
  const auto kept = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), quiet, up);
  return hn::And(kept, hn::Set(du, 0xFFFF0000U));
}

// As many bf16 values from `p` on as a vector has lanes.
HWY_INLINE F32Vec LoadBf16(const std::uint16_t* p) {
  const hn::RebindToUnsigned<F32Tag> du;
  const hn::Rebind<std::uint16_t, F32Tag> d16;
  return hn::BitCast(F32Tag(), hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, p))));
}

// Writes as many, rounded.
HWY_INLINE void StoreBf16(F32Vec v, std::uint16_t* p) {
  const hn::RebindToSigned<F32Tag> di;
  const hn::Rebind<std::uint16_t, F32Tag> d16;
  // After the shift every lane is in 0..65535, which the saturating demotion keeps.
  hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, hn::ShiftRight<16>(RoundedBits(v)))), d16, p);
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::core
HWY_AFTER_NAMESPACE();

#endif  // MIEN_CORE_BF16_INL_H_
