#include "engine/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "engine/parallel.h"

// Compiled once per instruction set; the order matters to Highway.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/attention.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "engine/kernels/vector_types-inl.h"
// clang-format on

#ifndef MIEN_ENGINE_ATTENTION_ONCE_
#define MIEN_ENGINE_ATTENTION_ONCE_
namespace mien::engine::detail {

// Widest vector: columns of packed matrices are padded to it.
constexpr std::size_t kPad = 16;

// Query rows that are worked on together; their scores stay in L1/L2.
constexpr std::size_t kQueryBlock = 32;

inline std::size_t padded(std::size_t n) {
  return (n + kPad - 1) / kPad * kPad;
}

// Where the parts of a thread's workspace begin.
struct Workspace {
  explicit Workspace(const AttentionShape& s)
      : token_pitch(padded(s.tokens)), dim_pitch(padded(s.head_dim)) {
    keys = 0;
    values = keys + s.head_dim * token_pitch;
    queries = values + s.tokens * dim_pitch;
    scores = queries + kQueryBlock * dim_pitch;
    outputs = scores + kQueryBlock * token_pitch;
    bias = outputs + kQueryBlock * dim_pitch;
    total = bias + token_pitch;
  }
  std::size_t token_pitch, dim_pitch;
  std::size_t keys, values, queries, scores, outputs, bias, total;
};

}  // namespace mien::engine::detail
#endif  // MIEN_ENGINE_ATTENTION_ONCE_

HWY_BEFORE_NAMESPACE();
namespace mien::engine {
namespace HWY_NAMESPACE {

// C[kRows, kCols vectors] = A[kRows, depth] * B[depth, ...]: accumulators stay in registers (4 x 3
// of them, the most that 16 registers hold beside the loads).
template <int kRows, int kCols>
HWY_INLINE void Tile(const float* HWY_RESTRICT a, std::size_t a_pitch, const float* HWY_RESTRICT b,
                     std::size_t b_pitch, float* HWY_RESTRICT c, std::size_t c_pitch,
                     std::size_t depth) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  F32Vec sum[kRows][kCols];
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kCols; ++j) sum[r][j] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    F32Vec right[kCols];
    for (int j = 0; j < kCols; ++j) right[j] = hn::Load(d, b + k * b_pitch + j * lanes);
    for (int r = 0; r < kRows; ++r) {
      const auto left = hn::Set(d, a[r * a_pitch + k]);
      for (int j = 0; j < kCols; ++j) sum[r][j] = hn::MulAdd(left, right[j], sum[r][j]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kCols; ++j) hn::Store(sum[r][j], d, c + r * c_pitch + j * lanes);
  }
}

template <int kRows>
HWY_INLINE void TileRow(const float* a, std::size_t a_pitch, const float* b, std::size_t b_pitch,
                        float* c, std::size_t c_pitch, std::size_t columns, std::size_t depth) {
  const std::size_t lanes = hn::Lanes(F32Tag());
  std::size_t j = 0;
  for (; j + 3 * lanes <= columns; j += 3 * lanes) {
    Tile<kRows, 3>(a, a_pitch, b + j, b_pitch, c + j, c_pitch, depth);
  }
  for (; j < columns; j += lanes) {
    Tile<kRows, 1>(a, a_pitch, b + j, b_pitch, c + j, c_pitch, depth);
  }
}

// `columns` is a multiple of the vector length; rows are any.
void SmallGemm(const float* a, std::size_t a_pitch, const float* b, std::size_t b_pitch, float* c,
               std::size_t c_pitch, std::size_t rows, std::size_t columns, std::size_t depth) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    TileRow<4>(a + r * a_pitch, a_pitch, b, b_pitch, c + r * c_pitch, c_pitch, columns, depth);
  }
  for (; r < rows; ++r) {
    TileRow<1>(a + r * a_pitch, a_pitch, b, b_pitch, c + r * c_pitch, c_pitch, columns, depth);
  }
}

// exp(x + bias - max) in place; returns the sum. Padding columns become 0. `bias` is as long as the
// padded row and only read when kBiased.
template <bool kBiased>
HWY_INLINE float ExpRow(float* HWY_RESTRICT row, const float* HWY_RESTRICT bias, std::size_t n,
                        std::size_t pitch) {
  const F32Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const float lowest = -3.0e38F;
  std::fill(row + n, row + pitch, lowest);
  auto top = hn::Set(d, lowest);
  for (std::size_t i = 0; i < pitch; i += lanes) {
    auto x = hn::Load(d, row + i);
    if constexpr (kBiased) {
      x = hn::Add(x, hn::Load(d, bias + i));
      hn::Store(x, d, row + i);
    }
    top = hn::Max(top, x);
  }
  top = hn::MaxOfLanes(d, top);
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < pitch; i += lanes) {
    const auto e = hn::Exp(d, hn::Sub(hn::Load(d, row + i), top));
    hn::Store(e, d, row + i);
    sum = hn::Add(sum, e);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// Keys transposed [head_dim, tokens] and values [tokens, head_dim], both padded with zeros.
template <class Access>
void PackKeysValues(const AttentionShape& s, const typename Access::T* head, float* work,
                    const detail::Workspace& w) {
  float* keys = work + w.keys;
  float* values = work + w.values;
  for (std::size_t t = 0; t < s.tokens; ++t) {
    const auto* k = head + t * s.token_stride + s.width();
    const auto* v = k + s.width();
    float* value_row = values + t * w.dim_pitch;
    for (std::size_t i = 0; i < s.head_dim; ++i) {
      keys[i * w.token_pitch + t] = Access::Get(k + i);
      value_row[i] = Access::Get(v + i);
    }
    std::fill(value_row + s.head_dim, value_row + w.dim_pitch, 0.0F);
  }
  for (std::size_t i = 0; i < s.head_dim; ++i) {
    std::fill(keys + i * w.token_pitch + s.tokens, keys + (i + 1) * w.token_pitch, 0.0F);
  }
}

template <class Access, bool kBiased>
void AttendHead(const AttentionShape& s, const typename Access::T* head, const float* key_bias,
                typename Access::T* out, float* work) {
  const detail::Workspace w(s);
  PackKeysValues<Access>(s, head, work, w);
  float* bias = work + w.bias;
  if constexpr (kBiased) {
    std::copy(key_bias, key_bias + s.tokens, bias);
    std::fill(bias + s.tokens, bias + w.token_pitch, 0.0F);
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.head_dim));
  for (std::size_t begin = 0; begin < s.tokens; begin += detail::kQueryBlock) {
    const std::size_t rows = std::min(detail::kQueryBlock, s.tokens - begin);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto* q = head + (begin + r) * s.token_stride;
      float* to = work + w.queries + r * w.dim_pitch;
      for (std::size_t i = 0; i < s.head_dim; ++i) to[i] = Access::Get(q + i) * scale;
    }
    float* scores = work + w.scores;
    SmallGemm(work + w.queries, w.dim_pitch, work + w.keys, w.token_pitch, scores, w.token_pitch,
              rows, w.token_pitch, s.head_dim);
    float inverse[detail::kQueryBlock];
    for (std::size_t r = 0; r < rows; ++r) {
      inverse[r] =
          1.0F / ExpRow<kBiased>(scores + r * w.token_pitch, bias, s.tokens, w.token_pitch);
    }
    SmallGemm(scores, w.token_pitch, work + w.values, w.dim_pitch, work + w.outputs, w.dim_pitch,
              rows, w.dim_pitch, s.tokens);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* from = work + w.outputs + r * w.dim_pitch;
      auto* to = out + (begin + r) * s.out_token_stride;
      for (std::size_t i = 0; i < s.head_dim; ++i) Access::Put(from[i] * inverse[r], to + i);
    }
  }
}

// Heads begin..end, counted over all sequences.
void AttendHeads(const AttentionShape& s, ActKind kind, const void* qkv, const float* key_bias,
                 void* out, float* work, std::size_t begin, std::size_t end) {
  WithAccess(kind, [&](auto access) {
    using Access = decltype(access);
    using T = typename Access::T;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t sequence = i / s.heads;
      const std::size_t offset = i % s.heads * s.head_dim;
      const T* head = static_cast<const T*>(qkv) + sequence * s.sequence_stride + offset;
      T* to = static_cast<T*>(out) + sequence * s.out_sequence_stride + offset;
      if (key_bias == nullptr) {
        AttendHead<Access, false>(s, head, nullptr, to, work);
      } else {
        AttendHead<Access, true>(s, head, key_bias + sequence * s.tokens, to, work);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(AttendHeads);

std::size_t attention_scratch_floats(const AttentionShape& shape) {
  return detail::Workspace(shape).total;
}

void attention(const AttentionShape& shape, ActKind kind, const void* qkv, void* out,
               float* scratch, const float* key_bias) {
  const std::size_t per_thread = attention_scratch_floats(shape);
  const std::size_t work = shape.tokens * shape.tokens * shape.head_dim + 1;
  parallel_ranges(shape.sequences * shape.heads, 100000 / work + 1,
                  [&](std::size_t begin, std::size_t end, int thread) {
                    HWY_DYNAMIC_DISPATCH(AttendHeads)
                    (shape, kind, qkv, key_bias, out, scratch + thread * per_thread, begin, end);
                  });
}

}  // namespace mien::engine
#endif  // HWY_ONCE
