#include "core/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace mien::core {
namespace {

// The value of a finite half from its definition.
double half_value(unsigned bits) {
  const int exponent = static_cast<int>(bits >> 10 & 0x1FU);
  const double mantissa = bits & 0x3FFU;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0 + mantissa, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

// Round to nearest even by searching all halves: slow, but shares nothing with the code under test.
std::uint16_t slow_half(float value) {
  static const std::vector<double> table = [] {
    std::vector<double> t;
    for (unsigned bits = 0; bits < 0x7C00; ++bits) t.push_back(half_value(bits));
    t.push_back(65536.0);  // where infinity would be if the exponents went on
    return t;
  }();
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= 65536.0) return sign | 0x7C00U;
  const auto above = std::lower_bound(table.begin(), table.end(), magnitude);
  auto code = static_cast<unsigned>(above - table.begin());
  if (*above != magnitude) {
    const double up = *above - magnitude;
    const double down = magnitude - *(above - 1);
    if (down < up || (down == up && (code - 1) % 2 == 0)) --code;
  }
  return static_cast<std::uint16_t>(sign | code);
}

TEST(Half, EveryValueRoundTrips) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_f32(half);
    if ((bits & 0x7C00U) == 0x7C00U && (bits & 0x3FFU) != 0) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      const std::uint16_t back = f32_to_f16(value);
      ASSERT_TRUE((back & 0x7C00U) == 0x7C00U && (back & 0x3FFU) != 0) << bits;
      continue;
    }
    if ((bits & 0x7FFFU) == 0x7C00U) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), half_value(bits)) << bits;
    }
    ASSERT_EQ(std::signbit(value), (bits & 0x8000U) != 0) << bits;
    ASSERT_EQ(f32_to_f16(value), half) << bits;
  }
}

TEST(Half, RoundsToNearestEvenAtEveryMidpoint) {
  for (unsigned bits = 0; bits < 0x7C00; ++bits) {
    const double next = bits + 1 == 0x7C00 ? 65536.0 : half_value(bits + 1);
    // A midpoint of two halves is exact in float.
    const auto middle = static_cast<float>((half_value(bits) + next) / 2);
    for (const float value : {std::nextafter(middle, 0.0F), middle, std::nextafter(middle, 1e9F)}) {
      ASSERT_EQ(f32_to_f16(value), slow_half(value)) << value;
      ASSERT_EQ(f32_to_f16(-value), slow_half(-value)) << value;
    }
  }
}

TEST(Half, AgreesWithTheSlowReferenceAllOver) {
  constexpr std::uint32_t kStep = 3989;  // prime: about a million floats, all exponents
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += kStep) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(f32_to_f16(value), slow_half(value)) << value;
  }
}

TEST(BFloat16, EveryValueRoundTrips) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto narrow = static_cast<std::uint16_t>(bits);
    const float value = bf16_to_f32(narrow);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value)))) << bits;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
      ASSERT_EQ(f32_to_bf16(value), narrow) << bits;
    }
  }
}

TEST(BFloat16, RoundsToNearestEven) {
  for (unsigned bits = 0; bits < 0x7F80; ++bits) {
    // Just below, at and just above the middle between `bits` and its successor.
    const std::uint32_t middle = bits << 16 | 0x8000U;
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle - 1)), bits);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle)), bits + bits % 2);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(middle + 1)), bits + 1);
  }
  // A NaN whose payload lies in the dropped bits must not become infinity.
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7F800001U)))));
}

TEST(Tensor, ElementCountsAreChecked) {
  constexpr std::int64_t kBig = std::int64_t{1} << 40;
  EXPECT_EQ(checked_element_count({}).value(), 1U);
  EXPECT_EQ(checked_element_count({2, 3, 4}).value(), 24U);
  EXPECT_EQ(checked_element_count({0, kBig, kBig}).error().code, ErrorCode::kLimit);
  EXPECT_EQ(checked_element_count({kBig, kBig}).error().code, ErrorCode::kLimit);
  EXPECT_EQ(checked_element_count({2, -1}).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(checked_element_count({kBig, 0}).value(), 0U);
}

TEST(Tensor, ConvertsEveryTypeToFloat) {
  const std::vector<std::int16_t> numbers = {-3, 0, 300};
  Tensor ints = Tensor::zeros(DType::kI16, {3});
  std::memcpy(ints.bytes.data(), numbers.data(), ints.bytes.size());
  EXPECT_EQ(to_f32(ints.view()), (std::vector<float>{-3, 0, 300}));
  Tensor flags = Tensor::zeros(DType::kBool, {2});
  flags.bytes[1] = std::byte{1};
  EXPECT_EQ(to_f32(flags.view()), (std::vector<float>{0, 1}));
}

TEST(Tensor, ConvertsBetweenFloats) {
  const std::vector<float> values = {1.0F, -2.5F, 65504.0F, 1e-8F};
  const Tensor wide = Tensor::from_f32(values, {2, 2});
  const Tensor half = convert_float(wide.view(), DType::kF16).value();
  EXPECT_EQ(half.shape, (Shape{2, 2}));
  EXPECT_EQ(to_f32(half.view()), (std::vector<float>{1.0F, -2.5F, 65504.0F, 0.0F}));
  const Tensor same = convert_float(wide.view(), DType::kF32).value();
  EXPECT_EQ(same.bytes, wide.bytes);
  EXPECT_EQ(convert_float(wide.view(), DType::kI32).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(convert_float(Tensor::zeros(DType::kI64, {1}).view(), DType::kF32).error().code,
            ErrorCode::kUnsupported);
}

TEST(DTypes, NamesRoundTrip) {
  for (const DType dtype : {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64,
                            DType::kI32, DType::kI16, DType::kI8, DType::kU8, DType::kBool}) {
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)).value(), dtype);
  }
  EXPECT_EQ(dtype_from_name("F8_E4M3").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace mien::core
