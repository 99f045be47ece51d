// The fused attention with a bias on the keys against the slow one.
#include "engine/kernels/attention.h"

#include <gtest/gtest.h>

#include <array>

#include "compare.h"
#include "core/tensor.h"
#include "engine/arena.h"
#include "engine/context.h"
#include "random_model.h"
#include "reference_math.h"

namespace mien::engine {
namespace {

// No size is a multiple of a vector.
constexpr std::size_t kSequences = 2;
constexpr std::size_t kTokens = 19;
constexpr std::size_t kWidth = 10;

AttentionShape shape_of(std::size_t tokens, std::size_t heads, std::size_t head_dim) {
  const std::size_t width = heads * head_dim;
  return {.sequences = kSequences,
          .tokens = tokens,
          .heads = heads,
          .head_dim = head_dim,
          .sequence_stride = tokens * 3 * width,
          .token_stride = 3 * width,
          .out_sequence_stride = tokens * width,
          .out_token_stride = width};
}

AttentionShape odd_shape() {
  return shape_of(kTokens, 2, 5);
}

template <class T>
std::vector<T> fused_as(ActKind kind, const AttentionShape& shape, const std::vector<T>& qkv,
                        const float* bias, int threads = 1) {
  const ThreadScope scope(threads);
  Arena arena;
  const Slot work =
      arena.reserve_for<float>(static_cast<std::size_t>(threads) * attention_scratch_floats(shape));
  EXPECT_TRUE(arena.allocate().ok());
  std::vector<T> out(shape.sequences * shape.tokens * shape.width());
  attention(shape, kind, qkv.data(), out.data(), arena.at<float>(work), bias);
  return out;
}

std::vector<float> fused(const std::vector<float>& qkv, const float* bias) {
  return fused_as(ActKind::kF32, odd_shape(), qkv, bias);
}

std::vector<float> slow(const AttentionShape& shape, const std::vector<float>& qkv,
                        const std::vector<float>& bias) {
  std::vector<float> out;
  for (std::size_t s = 0; s < shape.sequences; ++s) {
    test::Rows rows;
    test::Row biases;
    for (std::size_t t = 0; t < shape.tokens; ++t) {
      const float* row = qkv.data() + (s * shape.tokens + t) * shape.token_stride;
      rows.emplace_back(row, row + shape.token_stride);
      biases.push_back(static_cast<double>(bias[s * shape.tokens + t]));
    }
    for (const test::Row& row : test::attention(rows, shape.heads, biases)) {
      for (const double v : row) out.push_back(static_cast<float>(v));
    }
  }
  return out;
}

std::vector<float> slow(const std::vector<float>& qkv, const std::vector<float>& bias) {
  return slow(odd_shape(), qkv, bias);
}

// bf16 rows: whole vectors and parts of them, one block of queries and several, on a CPU that
// multiplies bf16 (an even head_dim) and as on any other (an odd one).
TEST(Attention, InBf16ItIsTheSameButForRounding) {
  for (const auto& [tokens, heads, head_dim] :
       {std::array<std::size_t, 3>{19, 2, 5}, {19, 2, 6}, {1, 1, 2}, {45, 3, 20}, {97, 3, 64}}) {
    SCOPED_TRACE("tokens " + std::to_string(tokens) + ", head_dim " + std::to_string(head_dim));
    const AttentionShape shape = shape_of(tokens, heads, head_dim);
    std::vector<float> qkv = test::random_floats(kSequences * tokens * shape.token_stride, 1);
    std::vector<std::uint16_t> rows;
    for (float& v : qkv) {
      rows.push_back(core::f32_to_bf16(v));
      v = core::bf16_to_f32(rows.back());
    }
    std::vector<float> bias = test::random_floats(kSequences * tokens, 2);
    for (float& v : bias) v *= 4.0F;
    const auto wanted = slow(shape, qkv, bias);
    const auto one = fused_as(ActKind::kBf16, shape, rows, bias.data());
    std::vector<float> values;
    for (const std::uint16_t v : one) values.push_back(core::bf16_to_f32(v));
    EXPECT_LT(test::difference(values, wanted).relative, 8e-3);
    EXPECT_EQ(fused_as(ActKind::kBf16, shape, rows, bias.data(), 3), one);
    if (tokens == 1) continue;  // a bias of the only key is none
    const std::vector<float> none(bias.size(), 0.0F);
    EXPECT_EQ(fused_as(ActKind::kBf16, shape, rows, nullptr),
              fused_as(ActKind::kBf16, shape, rows, none.data()));
    EXPECT_NE(fused_as(ActKind::kBf16, shape, rows, nullptr), one);
  }
}

// A query in bf16 whose scores cannot be told from one another but for one: the largest counts
// alone, however large, and nothing overflows.
TEST(Attention, InBf16LargeScoresDoNotOverflow) {
  const AttentionShape shape = shape_of(40, 1, 4);
  std::vector<std::uint16_t> rows(kSequences * 40 * 12, 0);
  for (std::size_t t = 0; t < kSequences * 40; ++t) {
    rows[t * 12] = core::f32_to_bf16(1e15F);                             // q
    rows[t * 12 + 4] = core::f32_to_bf16(t % 40 == 21 ? 1e15F : 1e14F);  // k
    rows[t * 12 + 8] = core::f32_to_bf16(t % 40 == 21 ? 2.0F : -7.0F);   // v
  }
  const auto out = fused_as(ActKind::kBf16, shape, rows, nullptr);
  for (std::size_t t = 0; t < kSequences * 40; ++t) {
    EXPECT_EQ(core::bf16_to_f32(out[t * 4]), 2.0F);
    EXPECT_EQ(core::bf16_to_f32(out[t * 4 + 1]), 0.0F);
  }
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
