#include "learn/models/gelu_rows.h"

#include <algorithm>

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "learn/models/gelu_rows.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include "core/bf16-inl.h"
#include "learn/models/exp-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mien::learn {
namespace HWY_NAMESPACE {
using core::HWY_NAMESPACE::LoadBf16;
using core::HWY_NAMESPACE::StoreBf16;

// The normal distribution function at x, and e^(-x^2/2): Phi by formula 26.2.17 of Abramowitz and
// Stegun, to 7.5e-8.
struct Normal {
  F32Vec phi, bell;
};

HWY_INLINE Normal NormalAt(F32Vec x) {
  const F32Tag d;
  const auto one = hn::Set(d, 1.0F);
  const auto size = hn::Abs(x);
  const auto t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.2316419F), size, one));
  auto p = hn::Set(d, 1.330274429F);
  p = hn::MulAdd(p, t, hn::Set(d, -1.821255978F));
  p = hn::MulAdd(p, t, hn::Set(d, 1.781477937F));
  p = hn::MulAdd(p, t, hn::Set(d, -0.356563782F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.319381530F));
  const auto bell = ExpOfNegative(hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5F)));
  const auto beyond = hn::Mul(hn::Mul(p, t), hn::Mul(bell, hn::Set(d, 0.398942280F)));
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(d)), beyond, hn::Sub(one, beyond)), bell};
}

HWY_INLINE F32Vec Gelu(F32Vec x) {
  return hn::Mul(x, NormalAt(x).phi);
}

HWY_INLINE F32Vec GeluBackward(F32Vec dy, F32Vec x) {
  const Normal n = NormalAt(x);
  const auto density = hn::Mul(n.bell, hn::Set(F32Tag(), 0.398942280F));
  return hn::Mul(dy, hn::MulAdd(x, density, n.phi));
}

void GeluRows(const std::uint16_t* x, std::size_t count, std::uint16_t* y) {
  const std::size_t lanes = hn::Lanes(F32Tag());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) StoreBf16(Gelu(LoadBf16(x + i)), y + i);
  if (i == count) return;
  std::uint16_t buffer[16] = {};
  std::copy(x + i, x + count, buffer);
  StoreBf16(Gelu(LoadBf16(buffer)), buffer);
  std::copy_n(buffer, count - i, y + i);
}

void GeluBackwardRows(const std::uint16_t* dy, const std::uint16_t* x, std::size_t count,
                      std::uint16_t* dx) {
  const std::size_t lanes = hn::Lanes(F32Tag());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    StoreBf16(GeluBackward(LoadBf16(dy + i), LoadBf16(x + i)), dx + i);
  }
  if (i == count) return;
  std::uint16_t of_dy[16] = {};
  std::uint16_t of_x[16] = {};
  std::copy(dy + i, dy + count, of_dy);
  std::copy(x + i, x + count, of_x);
  StoreBf16(GeluBackward(LoadBf16(of_dy), LoadBf16(of_x)), of_x);
  std::copy_n(of_x, count - i, dx + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::learn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::learn {

HWY_EXPORT(GeluRows);
HWY_EXPORT(GeluBackwardRows);

void gelu_rows(const std::uint16_t* x, std::size_t count, std::uint16_t* y) {
  HWY_DYNAMIC_DISPATCH(GeluRows)(x, count, y);
}

void gelu_backward_rows(const std::uint16_t* dy, const std::uint16_t* x, std::size_t count,
                        std::uint16_t* dx) {
  HWY_DYNAMIC_DISPATCH(GeluBackwardRows)(dy, x, count, dx);
}

}  // namespace mien::learn
#endif
