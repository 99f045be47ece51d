// GELU over vectors. Included once per instruction set by the kernels' .cpp files, behind
// vector_types-inl.h; needs hwy/contrib/math/math-inl.h before it.
#if defined(MIEN_ENGINE_GELU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MIEN_ENGINE_GELU_INL_H_
#undef MIEN_ENGINE_GELU_INL_H_
#else
#define MIEN_ENGINE_GELU_INL_H_
#endif

#include <cmath>

#include "engine/kernels/vector_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

// x Phi(x), with erfc by formula 7.1.26 of Abramowitz and Stegun. The part that vanishes is taken
// off max(x, 0), so that nothing cancels where x is very negative.
HWY_INLINE F32Vec Gelu(F32Vec x) {
  const F32Tag d;
  const auto size = hn::Abs(x);
  const auto z = hn::Mul(size, hn::Set(d, 0.70710678F));
  const auto t = hn::Div(hn::Set(d, 1.0F), hn::MulAdd(hn::Set(d, 0.3275911F), z, hn::Set(d, 1.0F)));
  auto p = hn::Set(d, 1.061405429F);
  p = hn::MulAdd(p, t, hn::Set(d, -1.453152027F));
  p = hn::MulAdd(p, t, hn::Set(d, 1.421413741F));
  p = hn::MulAdd(p, t, hn::Set(d, -0.284496736F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.254829592F));
  // Beyond exp(-87) there is nothing left of it.
  const auto square = hn::Min(hn::Mul(z, z), hn::Set(d, 87.0F));
  const auto erfc = hn::Mul(hn::Mul(p, t), hn::Exp(d, hn::Neg(square)));
  const auto half = hn::Mul(size, hn::Set(d, 0.5F));
  return hn::Sub(hn::Max(x, hn::Zero(d)), hn::Mul(half, erfc));
}

// GELU to 6e-5, for values that become one of 255 codes: x (1/2 + h P(h^2)), where h is x held to
// +-4.5 and h P(h^2) approximates Phi(h) - 1/2 (least largest error of x Phi, degree 17). A third
// of the instructions of Gelu().
HWY_INLINE F32Vec CoarseGelu(F32Vec x) {
  constexpr float kP[] = {0.398728043F,    -0.0660058483F,   0.00959570054F,
                          -0.00104018045F, 8.17847176e-05F,  -4.48116407e-06F,
                          1.6050879e-07F,  -3.35113981e-09F, 3.07586144e-11F};
  const F32Tag d;
  const auto held = hn::Max(hn::Min(x, hn::Set(d, 4.5F)), hn::Set(d, -4.5F));
  const auto square = hn::Mul(held, held);
  auto p = hn::Set(d, kP[8]);
  for (int i = 7; i >= 0; --i) p = hn::MulAdd(p, square, hn::Set(d, kP[i]));
  return hn::Mul(x, hn::MulAdd(held, p, hn::Set(d, 0.5F)));
}

HWY_INLINE float GeluOne(float x) {
  return 0.5F * x * (1.0F + std::erf(x * 0.70710678F));
}

enum class Curve { kNone, kGelu, kCoarseGelu };

template <Curve kCurve>
HWY_INLINE F32Vec Curved(F32Vec x) {
  if constexpr (kCurve == Curve::kGelu) return Gelu(x);
  if constexpr (kCurve == Curve::kCoarseGelu) return CoarseGelu(x);
  return x;
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#endif  // MIEN_ENGINE_GELU_INL_H_
