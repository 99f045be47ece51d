#include "learn/models/softmax_rows.h"

#include <limits>

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "learn/models/softmax_rows.cpp"
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

void SoftmaxRow(float* HWY_RESTRICT scores, const float* HWY_RESTRICT bias, std::size_t columns,
                std::size_t pitch, std::uint16_t* HWY_RESTRICT p) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto most = lowest;
  for (std::size_t i = 0; i < pitch; i += lanes) {
    auto v = hn::LoadU(d, scores + i);
    if (bias != nullptr) v = hn::Add(v, hn::LoadU(d, bias + i));
    if (i + lanes > columns) {
      v = hn::IfThenElse(hn::FirstN(d, i < columns ? columns - i : 0), v, lowest);
    }
    hn::StoreU(v, d, scores + i);
    most = hn::Max(most, v);
  }
  most = hn::MaxOfLanes(d, most);
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < pitch; i += lanes) {
    const auto e = ExpOfNegative(hn::Sub(hn::LoadU(d, scores + i), most));
    hn::StoreU(e, d, scores + i);
    sum = hn::Add(sum, e);
  }
  const auto share = hn::Div(hn::Set(d, 1.0F), hn::SumOfLanes(d, sum));
  for (std::size_t i = 0; i < pitch; i += lanes) {
    StoreBf16(hn::Mul(hn::LoadU(d, scores + i), share), p + i);
  }
}

void SoftmaxRows(float* scores, const float* bias, std::size_t bias_step, std::size_t rows,
                 std::size_t columns, std::uint16_t* p) {
  const auto pitch = static_cast<std::size_t>(pitch_of(static_cast<std::int64_t>(columns)));
  for (std::size_t r = 0; r < rows; ++r) {
    const float* of_row = bias == nullptr ? nullptr : bias + r * bias_step;
    SoftmaxRow(scores + r * pitch, of_row, columns, pitch, p + r * pitch);
  }
}

void SoftmaxBackwardRows(const float* dp, const std::uint16_t* p, std::size_t rows,
                         std::size_t columns, std::uint16_t* ds, float* sum_of_rows) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto pitch = static_cast<std::size_t>(pitch_of(static_cast<std::int64_t>(columns)));
  for (std::size_t r = 0; r < rows; ++r, dp += pitch, p += pitch, ds += pitch) {
    auto dot = hn::Zero(d);
    for (std::size_t i = 0; i < pitch; i += lanes) {
      dot = hn::MulAdd(hn::LoadU(d, dp + i), LoadBf16(p + i), dot);
    }
    const auto mean = hn::SumOfLanes(d, dot);
    for (std::size_t i = 0; i < pitch; i += lanes) {
      const auto g = hn::Mul(LoadBf16(p + i), hn::Sub(hn::LoadU(d, dp + i), mean));
      StoreBf16(g, ds + i);
      if (sum_of_rows != nullptr) {
        hn::StoreU(hn::Add(hn::LoadU(d, sum_of_rows + i), g), d, sum_of_rows + i);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::learn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::learn {

HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(SoftmaxBackwardRows);

void softmax_rows(float* scores, const float* bias, std::size_t bias_step, std::size_t rows,
                  std::size_t columns, std::uint16_t* p) {
  HWY_DYNAMIC_DISPATCH(SoftmaxRows)(scores, bias, bias_step, rows, columns, p);
}

void softmax_backward_rows(const float* dp, const std::uint16_t* p, std::size_t rows,
                           std::size_t columns, std::uint16_t* ds, float* sum_of_rows) {
  HWY_DYNAMIC_DISPATCH(SoftmaxBackwardRows)(dp, p, rows, columns, ds, sum_of_rows);
}

}  // namespace mien::learn
#endif
