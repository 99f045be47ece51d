// Maps in u8 and convolutions in int8: tightly against the same arithmetic in double, loosely
// against the convolution that they stand for, at sizes that are no multiple of anything.
#include "engine/layers/quantized_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/tensor.h"
#include "engine/arena.h"
#include "engine/kernels/quantize.h"
#include "engine/layers/channel_codes.h"
#include "engine/options.h"
#include "random_model.h"

namespace mien::engine {
namespace {

double wide(float v) {
  return static_cast<double>(v);
}

// Random numbers behind a ReLU.
std::vector<float> random_map(std::size_t count, unsigned seed) {
  std::vector<float> map = test::random_floats(count, seed);
  for (float& v : map) v = std::max(v, 0.0F);
  return map;
}

TEST(CodeMap, RoundsToTheNearestCode) {
  for (const std::int32_t limit : {kFullCodes, kNarrowCodes}) {
    for (const std::size_t count : {1U, 15U, 16U, 17U, 203U}) {
      const std::vector<float> map = random_map(count, static_cast<unsigned>(count));
      std::vector<std::uint8_t> codes(count);
      const float scale = code_map(map.data(), ActKind::kF32, count, limit, codes.data());
      const float largest = *std::max_element(map.begin(), map.end());
      EXPECT_FLOAT_EQ(scale, largest / static_cast<float>(2 * limit + 1));
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_LE(std::abs(wide(scale) * codes[i] - wide(map[i])), 0.50001 * wide(scale)) << i;
      }
      if (largest > 0.0F) {
        EXPECT_EQ(*std::max_element(codes.begin(), codes.end()), 2 * limit + 1);
      }
    }
  }
}

TEST(CodeMap, ReadsBf16) {
  const std::vector<float> map = {0.0F, 0.5F, 2.0F, 1.0F};
  std::vector<std::uint16_t> bits;
  for (const float v : map) bits.push_back(core::f32_to_bf16(v));
  std::vector<std::uint8_t> codes(4);
  const float scale = code_map(bits.data(), ActKind::kBf16, 4, kFullCodes, codes.data());
  EXPECT_FLOAT_EQ(scale, 2.0F / 255.0F);
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 64, 255, 128}));
}

TEST(CodeMap, NothingNegativeAndNotFinite) {
  std::vector<std::uint8_t> codes(3, 9);
  const std::vector<float> nothing(3, 0.0F);
  EXPECT_EQ(code_map(nothing.data(), ActKind::kF32, 3, kFullCodes, codes.data()), 0.0F);
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 0, 0}));
  const std::vector<float> below = {-1.0F, 1.0F, -2.0F};
  code_map(below.data(), ActKind::kF32, 3, kFullCodes, codes.data());
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 255, 0}));
  for (const float odd :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> map(40, 1.0F);
    for (const std::size_t place : {0U, 39U}) {
      map.assign(40, 1.0F);
      map[place] = odd;
      std::vector<std::uint8_t> some(40);
      EXPECT_TRUE(std::isnan(code_map(map.data(), ActKind::kF32, 40, kFullCodes, some.data())));
    }
  }
}

TEST(ChannelCodes, AreRoundedByChannel) {
  const std::vector<float> weights = {0.5F, -1.0F, 0.25F, 0.0F, 0.0F, 0.0F, 3.0F, -6.0F, 0.02F};
  const ChannelCodes made = code_channels(weights, 3, 3);
  EXPECT_EQ(made.codes, (std::vector<std::int8_t>{64, -127, 32, 0, 0, 0, 64, -127, 0}));
  EXPECT_EQ(made.sums, (std::vector<std::int32_t>{-31, 0, -63}));
  EXPECT_FLOAT_EQ(made.scales[0], 1.0F / 127.0F);
  EXPECT_EQ(made.scales[1], 0.0F);
  EXPECT_FLOAT_EQ(made.scales[2], 6.0F / 127.0F);
}

struct Shape {
  int in, out, kernel, stride, padding;
  std::size_t side, batch;
};

core::ConvBlockSpec spec_of(const Shape& s) {
  core::ConvBlockSpec spec;
  spec.name = "conv";
  spec.in = s.in;
  spec.out = s.out;
  spec.kernel = s.kernel;
  spec.stride = s.stride;
  spec.padding = s.padding;
  spec.prelu = false;
  return spec;
}

std::shared_ptr<const Context> int8_context(int threads) {
  const auto context = Context::create(
      {.precision = Precision::kInt8, .threads = threads, .native_bf16 = NativeBf16::kOff});
  EXPECT_TRUE(context.ok()) << context.error().to_string();
  return *context;
}

FoldedConv random_conv(const Shape& s, unsigned seed) {
  const auto size = static_cast<std::size_t>(s.in * s.kernel * s.kernel * s.out);
  return {test::random_floats(size, seed),
          test::random_floats(static_cast<std::size_t>(s.out), seed + 1)};
}

// sum over channel and window of code * filter code, in loops: [batch, out_side, out_side, out].
std::vector<std::int32_t> slow_sums(const Shape& s, const std::vector<std::uint8_t>& codes,
                                    const std::vector<std::int8_t>& filters, std::size_t out_side) {
  std::vector<std::int32_t> sums;
  const auto side = static_cast<int>(s.side);
  for (std::size_t i = 0; i < s.batch * out_side * out_side; ++i) {
    const auto picture = static_cast<int>(i / (out_side * out_side));
    const auto top = static_cast<int>(i / out_side % out_side) * s.stride - s.padding;
    const auto left = static_cast<int>(i % out_side) * s.stride - s.padding;
    for (int o = 0; o < s.out; ++o) {
      std::int32_t sum = 0;
      for (int k = 0; k < s.in * s.kernel * s.kernel; ++k) {
        const int y = top + k / s.kernel % s.kernel;
        const int x = left + k % s.kernel;
        if (y < 0 || x < 0 || y >= side || x >= side) continue;
        const int place = ((picture * side + y) * side + x) * s.in + k / (s.kernel * s.kernel);
        sum += codes[static_cast<std::size_t>(place)] *
               filters[static_cast<std::size_t>(o * s.in * s.kernel * s.kernel + k)];
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

const std::vector<Shape> kShapes = {{48, 48, 3, 1, 1, 12, 2},
                                    {8, 12, 3, 2, 1, 9, 3},
                                    {5, 7, 3, 1, 1, 6, 1},
                                    {16, 33, 1, 1, 0, 5, 2}};

TEST(QuantizedConv, GivesTheSumsOfItsCodes) {
  for (const Shape& s : kShapes) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(std::to_string(s.in) + " to " + std::to_string(s.out) + ", " +
                   std::to_string(threads) + " threads");
      const auto context = int8_context(threads);
      const FoldedConv folded = random_conv(s, 3);
      const auto weights =
          std::make_shared<const QuantizedConvWeights>(context, spec_of(s), folded);
      const ThreadScope scope(threads);
      QuantizedConv conv(weights, s.batch, s.side);
      const std::size_t count = s.batch * s.side * s.side * static_cast<std::size_t>(s.in);
      std::vector<std::uint8_t> codes(count);
      code_map(random_map(count, 5).data(), ActKind::kF32, count, context->code_limit(),
               codes.data());
      Arena arena;
      const Slot scratch = arena.reserve(conv.scratch_bytes());
      ASSERT_TRUE(arena.allocate().ok());
      const std::size_t out = conv.out_side();
      std::vector<std::int32_t> sums(s.batch * out * out * static_cast<std::size_t>(s.out));
      conv.run(dnnl::stream(context->engine()), codes.data(), sums.data(), arena.at(scratch));
      const auto size = static_cast<std::size_t>(s.in * s.kernel * s.kernel);
      const ChannelCodes filters =
          code_channels(folded.filters, size, static_cast<std::size_t>(s.out));
      EXPECT_EQ(sums, slow_sums(s, codes, filters.codes, out));
    }
  }
}

TEST(QuantizedConv, SumsBecomeMaps) {
  const std::vector<std::int32_t> sums = {100, -100, 3, 7, 0, -1};
  const std::vector<float> scales = {0.5F, 0.25F, 2.0F};
  const std::vector<float> bias = {1.0F, 30.0F, -1.0F};
  const MapScales s{.scales = scales.data(), .bias = bias.data(), .width = 3};
  std::vector<float> map(6);
  finish_relu(sums.data(), 0.1F, 2, s, ActKind::kF32, map.data());
  const std::vector<float> wanted = {6.0F, 27.5F, 0.0F, 1.35F, 30.0F, 0.0F};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(map[i], wanted[i], 1e-5F) << i;
  // A wide row, in the place of its sums.
  std::vector<std::int32_t> row(37);
  std::vector<float> ones(37, 1.0F), zeros(37, 0.0F);
  for (std::size_t i = 0; i < 37; ++i) row[i] = static_cast<std::int32_t>(i) - 10;
  const MapScales plain{.scales = ones.data(), .bias = zeros.data(), .width = 37};
  std::vector<float> apart(37);
  finish_relu(row.data(), 2.0F, 1, plain, ActKind::kF32, apart.data());
  finish_relu(row.data(), 2.0F, 1, plain, ActKind::kF32, row.data());
  for (std::size_t i = 0; i < 37; ++i) {
    EXPECT_EQ(apart[i], i > 10 ? 2.0F * static_cast<float>(i - 10) : 0.0F);
    EXPECT_EQ(std::bit_cast<float>(row[i]), apart[i]);
  }
}

TEST(QuantizedConv, OthersAreRefused) {
  const auto context = int8_context(1);
  const auto made = [&](core::ConvBlockSpec spec, const Shape& s) {
    return std::make_shared<const QuantizedConvWeights>(context, std::move(spec),
                                                        random_conv(s, 1));
  };
  const Shape shape{4, 4, 3, 1, 1, 4, 1};
  core::ConvBlockSpec grouped = spec_of(shape);
  grouped.groups = 4;
  EXPECT_THROW(made(grouped, shape), std::runtime_error);
  core::ConvBlockSpec leaky = spec_of(shape);
  leaky.prelu = true;
  EXPECT_THROW(made(leaky, shape), std::runtime_error);
  const Shape deep{8000, 1, 3, 1, 1, 3, 1};
  EXPECT_THROW(made(spec_of(deep), deep), std::runtime_error);
}

}  // namespace
}  // namespace mien::engine
