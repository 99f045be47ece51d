// Rows in u8 and products in int8: tightly against the same arithmetic in double, loosely against
// the product that they stand for, at sizes that are no multiple of anything.
#include "engine/layers/quantized_linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/arena.h"
#include "engine/options.h"
#include "random_model.h"

namespace mien::engine {
namespace {

std::shared_ptr<const Context> int8_context(int threads) {
  const auto context = Context::create(
      {.precision = Precision::kInt8, .threads = threads, .native_bf16 = NativeBf16::kOff});
  EXPECT_TRUE(context.ok()) << context.error().to_string();
  return *context;
}

double wide(float v) {
  return static_cast<double>(v);
}

// Rows with the memory they lie in.
struct Codes {
  Codes(std::size_t row_count, std::size_t row_width)
      : rows(row_count), width(row_width), codes(rows * width + 1), scales(rows + 1) {}

  QuantizedRows view() { return {codes.data(), scales.data()}; }
  int at(std::size_t r, std::size_t i, int limit) const {
    return static_cast<int>(codes[r * width + i]) - zero_code(limit);
  }
  double value(std::size_t r, std::size_t i, int limit) const {
    return wide(scales[r]) * at(r, i, limit);
  }

  std::size_t rows, width;
  std::vector<std::uint8_t> codes;
  std::vector<float> scales;
};

Codes quantized(const std::vector<float>& x, std::size_t rows, std::size_t width, int limit) {
  Codes out(rows, width);
  const ThreadScope scope(2);
  quantize_rows(x.data(), ActKind::kF32, rows, width, limit, out.view());
  return out;
}

// Each value within half a step of its code, the largest at the end of the range.
void expect_rounded(const std::vector<float>& x, const Codes& got, int limit) {
  for (std::size_t r = 0; r < got.rows; ++r) {
    float largest = 0.0F;
    for (std::size_t i = 0; i < got.width; ++i) {
      largest = std::max(largest, std::abs(x[r * got.width + i]));
    }
    EXPECT_FLOAT_EQ(got.scales[r], largest / static_cast<float>(limit)) << "row " << r;
    int most = 0;
    for (std::size_t i = 0; i < got.width; ++i) {
      most = std::max(most, std::abs(got.at(r, i, limit)));
      const double error = std::abs(got.value(r, i, limit) - wide(x[r * got.width + i]));
      EXPECT_LE(error, 0.50001 * wide(got.scales[r])) << "row " << r << ", column " << i;
    }
    EXPECT_EQ(most, limit) << "row " << r;
  }
}

TEST(QuantizeRows, ValuesAreWithinHalfAStep) {
  for (const int limit : {kFullCodes, kNarrowCodes}) {
    for (const std::size_t width : {1U, 7U, 16U, 37U, 129U, 768U}) {
      const auto x = test::random_floats(3 * width, 4);
      expect_rounded(x, quantized(x, 3, width, limit), limit);
    }
  }
}

TEST(QuantizeRows, ReadsBf16) {
  const std::size_t width = 37;
  std::vector<float> x = test::random_floats(2 * width, 5);
  round_to_bf16(x.data(), x.size());
  std::vector<std::uint16_t> bits(x.size());
  store_act(x.data(), x.size(), ActKind::kBf16, bits.data());
  Codes got(2, width);
  quantize_rows(bits.data(), ActKind::kBf16, 2, width, kFullCodes, got.view());
  expect_rounded(x, got, kFullCodes);
}

TEST(QuantizeRows, OutliersZerosAndWhatIsNotFinite) {
  const std::size_t width = 37;
  std::vector<float> x = test::random_floats(6 * width, 6);
  x[3] = 3.0e38F;  // the others vanish beside it
  std::fill_n(x.begin() + width, width, 0.0F);
  std::fill_n(x.begin() + 2 * width, width, 1e-40F);
  x[3 * width + 36] = std::numeric_limits<float>::quiet_NaN();
  x[4 * width + 1] = -std::numeric_limits<float>::infinity();
  const Codes got = quantized(x, 6, width, kFullCodes);
  EXPECT_EQ(got.at(0, 3, kFullCodes), kFullCodes);
  EXPECT_EQ(got.at(0, 4, kFullCodes), 0);
  EXPECT_FLOAT_EQ(got.scales[0], 3.0e38F / 127.0F);
  for (const std::size_t r : {1U, 2U}) {
    EXPECT_EQ(got.scales[r], 0.0F);
    for (std::size_t i = 0; i < width; ++i) EXPECT_EQ(got.at(r, i, kFullCodes), 0);
  }
  EXPECT_TRUE(std::isnan(got.scales[3]));
  EXPECT_TRUE(std::isnan(got.scales[4]));
  EXPECT_TRUE(std::isfinite(got.scales[5]));  // the row behind them is as any other
}

TEST(LayerNormQuantize, IsTheNormAndThenTheCodes) {
  for (const std::size_t width : {5U, 32U, 131U}) {
    const std::size_t rows = 9;
    const auto x = test::random_floats(rows * width, 1);
    const auto gamma = test::random_floats(width, 2);
    const auto beta = test::random_floats(width, 3);
    const NormParams params{gamma.data(), beta.data(), 1e-6F};
    std::vector<float> normed(rows * width);
    Codes got(rows, width);
    const ThreadScope scope(2);
    layer_norm(x.data(), plain_rows(rows, width), params, ActKind::kF32, normed.data());
    layer_norm_quantize(x.data(), plain_rows(rows, width), params, kFullCodes, got.view());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t i = 0; i < width; ++i) {
        EXPECT_LE(std::abs(got.value(r, i, kFullCodes) - wide(normed[r * width + i])),
                  0.501 * wide(got.scales[r]))
            << width << ": " << r << ", " << i;
      }
    }
  }
}

// ---- products

struct Sizes {
  std::size_t rows, in, out;
};

struct Layer {
  Layer(const Sizes& sizes, unsigned seed)
      : size(sizes),
        weight(test::random_floats(sizes.in * sizes.out, seed)),
        bias(test::random_floats(sizes.out, seed + 1)) {}

  std::shared_ptr<const QuantizedLinearWeights> weights(int threads) const {
    return std::make_shared<const QuantizedLinearWeights>(int8_context(threads), weight, bias,
                                                          size.in, size.out);
  }
  // Code of a weight: the rule of QuantizedLinearWeights once more.
  int code(std::size_t n, std::size_t k) const {
    float largest = 0.0F;
    for (std::size_t i = 0; i < size.in; ++i) {
      largest = std::max(largest, std::abs(weight[n * size.in + i]));
    }
    if (largest == 0.0F) return 0;
    return static_cast<int>(std::nearbyint(weight[n * size.in + k] * (127.0F / largest)));
  }

  Sizes size;
  std::vector<float> weight, bias;
};

// What the layer should give for these rows, in double, and the size of the numbers that it is made
// of.
struct Wanted {
  std::vector<double> value, size;
};

Wanted product(const Layer& layer, const QuantizedLinearWeights& weights, const Codes& x) {
  const Sizes& s = layer.size;
  std::vector<int> codes(s.in * s.out);
  for (std::size_t n = 0; n < s.out; ++n) {
    for (std::size_t k = 0; k < s.in; ++k) codes[n * s.in + k] = layer.code(n, k);
  }
  Wanted wanted;
  for (std::size_t r = 0; r < s.rows; ++r) {
    for (std::size_t n = 0; n < s.out; ++n) {
      double sum = 0.0;
      for (std::size_t k = 0; k < s.in; ++k) {
        sum += static_cast<double>(x.at(r, k, weights.code_limit()) * codes[n * s.in + k]);
      }
      const double scaled = sum * wide(weights.scales()[n]) * wide(x.scales[r]);
      wanted.value.push_back(scaled + wide(layer.bias[n]));
      wanted.size.push_back(std::abs(scaled) + std::abs(wide(layer.bias[n])));
    }
  }
  return wanted;
}

double gelu(double x) {
  return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
}

// Runs the layer; `y` holds what was there before.
void run(const std::shared_ptr<const QuantizedLinearWeights>& weights, Codes& x, QuantizedOut out,
         int threads, void* y, float* y_scales) {
  const ThreadScope scope(threads);
  QuantizedLinear linear(weights, x.rows, out);
  Arena arena;
  const Slot scratch = arena.reserve(linear.scratch_bytes() + 64);
  ASSERT_TRUE(arena.allocate().ok());
  linear.run(x.view(), y, y_scales, arena.at(scratch));
  EXPECT_EQ(linear.implementation().empty(), x.rows == 0);
}

std::vector<Sizes> sizes() {
  return {{1, 1, 1},      {1, 64, 16},    {5, 37, 19}, {33, 100, 70},
          {300, 48, 130}, {7, 256, 1024}, {0, 8, 8}};
}

TEST(QuantizedLinear, IsTheArithmeticOfItsCodes) {
  for (const Sizes& s : sizes()) {
    const Layer layer(s, 11);
    const auto x = test::random_floats(s.rows * s.in, 12);
    for (const int threads : {1, 2, 3}) {
      const std::string name = std::to_string(s.rows) + "x" + std::to_string(s.in) + "x" +
                               std::to_string(s.out) + ", " + std::to_string(threads);
      const auto weights = layer.weights(threads);
      Codes rows = quantized(x, s.rows, s.in, weights->code_limit());
      const Wanted wanted = product(layer, *weights, rows);
      const std::size_t count = s.rows * s.out;
      std::vector<float> plain(count + 1), curved(count + 1), added(count + 1, 0.25F);
      Codes codes(s.rows, s.out);
      run(weights, rows, QuantizedOut::kAct, threads, plain.data(), nullptr);
      run(weights, rows, QuantizedOut::kGeluAct, threads, curved.data(), nullptr);
      run(weights, rows, QuantizedOut::kAddToDst, threads, added.data(), nullptr);
      run(weights, rows, QuantizedOut::kGeluCodes, threads, codes.codes.data(),
          codes.scales.data());
      for (std::size_t i = 0; i < count; ++i) {
        const double size = wanted.size[i] + 1.0;
        ASSERT_NEAR(wide(plain[i]), wanted.value[i], 1e-6 * size) << name << ": " << i;
        ASSERT_NEAR(wide(added[i]), wanted.value[i] + 0.25, 1e-6 * size) << name << ": " << i;
        ASSERT_NEAR(wide(curved[i]), gelu(wanted.value[i]), 2e-6 * size) << name << ": " << i;
        const std::size_t r = i / s.out;
        ASSERT_NEAR(codes.value(r, i % s.out, weights->code_limit()), gelu(wanted.value[i]),
                    0.501 * wide(codes.scales[r]) + 2e-6 * size)
            << name << ": " << i;
      }
    }
  }
}

// Every code at the end of its range: sums of 16 bits would saturate.
TEST(QuantizedLinear, TheLargestSumsAreRight) {
  const Sizes s{3, 4096, 20};
  Layer layer(s, 1);
  for (std::size_t i = 0; i < layer.weight.size(); ++i) {
    layer.weight[i] = i / s.in % 2 == 0 ? 0.5F : -0.5F;
  }
  std::vector<float> x(s.rows * s.in, 2.0F);
  std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(s.in), s.in, -2.0F);
  const auto weights = layer.weights(1);
  Codes rows = quantized(x, s.rows, s.in, weights->code_limit());
  std::vector<float> y(s.rows * s.out);
  run(weights, rows, QuantizedOut::kAct, 1, y.data(), nullptr);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double sign = (i / s.out == 1 ? -1.0 : 1.0) * (i % s.out % 2 == 0 ? 1.0 : -1.0);
    EXPECT_NEAR(wide(y[i]), sign * 4096.0 + wide(layer.bias[i % s.out]), 1e-2) << i;
  }
}

// |y - y'| <= sum_k |x| s_w / 2 + |w| s_x / 2 + s_x s_w / 4: half a step of either factor.
TEST(QuantizedLinear, StaysWithinHalfAStepOfTheFactors) {
  const Sizes s{17, 96, 33};
  const Layer layer(s, 21);
  std::vector<float> x = test::random_floats(s.rows * s.in, 22);
  x[5] = 1000.0F;  // an outlier coarsens its own row alone
  const auto weights = layer.weights(2);
  Codes rows = quantized(x, s.rows, s.in, weights->code_limit());
  std::vector<float> y(s.rows * s.out);
  run(weights, rows, QuantizedOut::kAct, 2, y.data(), nullptr);
  double worst_behind = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t r = i / s.out;
    const std::size_t n = i % s.out;
    const double x_step = wide(rows.scales[r]);
    const double w_step = wide(weights->scales()[n]);
    double sum = wide(layer.bias[n]);
    double bound = 1e-4;
    for (std::size_t k = 0; k < s.in; ++k) {
      const double a = wide(x[r * s.in + k]);
      const double b = wide(layer.weight[n * s.in + k]);
      sum += a * b;
      bound += 0.501 * (std::abs(a) * w_step + std::abs(b) * x_step) + 0.26 * x_step * w_step;
    }
    EXPECT_LE(std::abs(wide(y[i]) - sum), bound) << i;
    if (r > 0) worst_behind = std::max(worst_behind, std::abs(wide(y[i]) - sum));
  }
  EXPECT_LT(worst_behind, 1.0);
}

TEST(QuantizedLinear, ARowDependsOnNothingButItself) {
  const Sizes s{301, 40, 50};
  const Layer layer(s, 31);
  const auto x = test::random_floats(s.rows * s.in, 32);
  const auto weights = layer.weights(3);
  Codes rows = quantized(x, s.rows, s.in, weights->code_limit());
  std::vector<float> all(s.rows * s.out);
  run(weights, rows, QuantizedOut::kGeluAct, 3, all.data(), nullptr);
  for (const std::size_t r : {std::size_t{0}, std::size_t{100}, std::size_t{300}}) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(r * s.in);
    const std::vector<float> one(first, first + static_cast<std::ptrdiff_t>(s.in));
    Codes row = quantized(one, 1, s.in, weights->code_limit());
    std::vector<float> y(s.out);
    run(weights, row, QuantizedOut::kGeluAct, 1, y.data(), nullptr);
    const auto same = all.begin() + static_cast<std::ptrdiff_t>(r * s.out);
    EXPECT_TRUE(std::equal(y.begin(), y.end(), same)) << "row " << r;
  }
}

TEST(QuantizedLinear, WhatIsNotFiniteStaysInItsRowAndChannel) {
  const Sizes s{3, 20, 5};
  Layer layer(s, 41);
  layer.weight[2 * s.in + 7] = std::numeric_limits<float>::infinity();
  std::fill_n(layer.weight.begin(), s.in, 0.0F);  // channel 0: the bias alone
  std::vector<float> x = test::random_floats(s.rows * s.in, 42);
  x[s.in + 3] = std::numeric_limits<float>::quiet_NaN();
  const auto weights = layer.weights(1);
  Codes rows = quantized(x, s.rows, s.in, weights->code_limit());
  std::vector<float> y(s.rows * s.out);
  run(weights, rows, QuantizedOut::kAct, 1, y.data(), nullptr);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool spoiled = i / s.out == 1 || i % s.out == 2;
    EXPECT_EQ(std::isnan(y[i]), spoiled) << i;
  }
  EXPECT_EQ(y[0], layer.bias[0]);
}

TEST(QuantizedLinear, RefusesSumsBeyond32Bits) {
  EXPECT_THROW(QuantizedLinearWeights(int8_context(1), {}, {}, 65537, 1), std::runtime_error);
}

}  // namespace
}  // namespace mien::engine
