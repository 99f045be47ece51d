// The fused attention with a bias on the keys against the slow one.
#include "engine/kernels/attention.h"

#include <gtest/gtest.h>

#include "compare.h"
#include "engine/arena.h"
#include "engine/context.h"
#include "random_model.h"
#include "reference_math.h"

namespace mien::engine {
namespace {

// Two sequences of 19 tokens, two heads of 5: no size is a multiple of a vector.
constexpr std::size_t kSequences = 2;
constexpr std::size_t kTokens = 19;
constexpr std::size_t kWidth = 10;

AttentionShape odd_shape() {
  return {.sequences = kSequences,
          .tokens = kTokens,
          .heads = 2,
          .head_dim = 5,
          .sequence_stride = kTokens * 3 * kWidth,
          .token_stride = 3 * kWidth,
          .out_sequence_stride = kTokens * kWidth,
          .out_token_stride = kWidth};
}

std::vector<float> fused(const std::vector<float>& qkv, const float* bias) {
  const ThreadScope scope(1);
  Arena arena;
  const AttentionShape shape = odd_shape();
  const Slot work = arena.reserve_for<float>(attention_scratch_floats(shape));
  EXPECT_TRUE(arena.allocate().ok());
  std::vector<float> out(kSequences * kTokens * kWidth);
  attention(shape, ActKind::kF32, qkv.data(), out.data(), arena.at<float>(work), bias);
  return out;
}

std::vector<float> slow(const std::vector<float>& qkv, const std::vector<float>& bias) {
  std::vector<float> out;
  for (std::size_t s = 0; s < kSequences; ++s) {
    test::Rows rows;
    test::Row biases;
    for (std::size_t t = 0; t < kTokens; ++t) {
      const float* row = qkv.data() + (s * kTokens + t) * 3 * kWidth;
      rows.emplace_back(row, row + 3 * kWidth);
      biases.push_back(static_cast<double>(bias[s * kTokens + t]));
    }
    for (const test::Row& row : test::attention(rows, 2, biases)) {
      for (const double v : row) out.push_back(static_cast<float>(v));
    }
  }
  return out;
}

TEST(Attention, AddsTheBiasOfEachKey) {
  const auto qkv = test::random_floats(kSequences * kTokens * 3 * kWidth, 1);
  std::vector<float> bias = test::random_floats(kSequences * kTokens, 2);
  for (float& v : bias) v *= 4.0F;
  const auto wanted = slow(qkv, bias);
  EXPECT_LT(test::difference(fused(qkv, bias.data()), wanted).relative, 1e-5);
  EXPECT_GT(test::difference(fused(qkv, nullptr), wanted).relative, 1e-2);
}

TEST(Attention, WithoutABiasItIsABiasOfZero) {
  const auto qkv = test::random_floats(kSequences * kTokens * 3 * kWidth, 1);
  const std::vector<float> none(kSequences * kTokens, 0.0F);
  EXPECT_LT(test::difference(fused(qkv, nullptr), slow(qkv, none)).relative, 1e-5);
  EXPECT_EQ(fused(qkv, nullptr), fused(qkv, none.data()));
}

// What the mask gives a token that hardly counts must act as if the token were not there.
TEST(Attention, AKeyOfVeryLowBiasIsNotSeen) {
  auto qkv = test::random_floats(kSequences * kTokens * 3 * kWidth, 3);
  std::vector<float> bias(kSequences * kTokens, -0.5F);
  bias[7] = -1e4F;
  const auto before = fused(qkv, bias.data());
  float* values = qkv.data() + 7 * 3 * kWidth + 2 * kWidth;
  for (std::size_t i = 0; i < kWidth; ++i) values[i] += 100.0F;
  EXPECT_EQ(fused(qkv, bias.data()), before);
}

}  // namespace
}  // namespace mien::engine
