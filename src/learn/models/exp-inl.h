// e^x over vectors. Included once per instruction set by kernels' .cpp files; needs hwy/highway.h
// before it.
#if defined(MIEN_LEARN_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_LEARN_EXP_INL_H_
#undef MIEN_LEARN_EXP_INL_H_
#else
#define MIEN_LEARN_EXP_INL_H_
#endif

#include "core/bf16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mien::learn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using core::HWY_NAMESPACE::F32Tag;
using core::HWY_NAMESPACE::F32Vec;

// e^x for x <= 0, to 3e-7 of it: 2^n times 2^f with |f| <= 1/2, this by the polynomial of degree 5
// with the smallest relative error (Remez). 0 below 2^-125. hn::Exp takes any sign and is more
// exact than bf16 can show: with it attention's forward pass is a tenth longer (in turns, Zen 4).
HWY_INLINE F32Vec ExpOfNegative(F32Vec x) {
  constexpr float kExp2[] = {1.00000007F,   0.693146967F,   0.240221197F,
                             0.0555071327F, 0.00967554148F, 0.0013276472F};
  const F32Tag d;
  const hn::RebindToSigned<F32Tag> di;
  const auto octaves = hn::Mul(x, hn::Set(d, 1.44269504F));
  const auto whole = hn::Round(octaves);
  const auto f = hn::Sub(octaves, whole);
  auto y = hn::Set(d, kExp2[5]);
  for (int i = 4; i >= 0; --i) y = hn::MulAdd(y, f, hn::Set(d, kExp2[i]));
  const auto n = hn::ConvertTo(di, hn::Max(whole, hn::Set(d, -127.0F)));
  const auto scaled = hn::BitCast(d, hn::Add(hn::BitCast(di, y), hn::ShiftLeft<23>(n)));
  return hn::IfThenZeroElse(hn::Lt(octaves, hn::Set(d, -125.0F)), scaled);
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::learn
HWY_AFTER_NAMESPACE();

#endif  // MIEN_LEARN_EXP_INL_H_
