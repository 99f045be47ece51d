#include "engine/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "engine/kernels/attention_bf16.h"
#include "engine/kernels/attention_blocks.h"
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

// The bias of a sequence's keys, padded.
void PackBias(const AttentionShape& s, const float* key_bias, float* bias,
              const detail::Workspace& w) {
  std::copy(key_bias, key_bias + s.tokens, bias);
  std::fill(bias + s.tokens, bias + w.token_pitch, 0.0F);
}

// One block of queries against keys, values and bias that are packed. `head`: q of the head's first
// token; `out`: the block's first row.
template <class Access, bool kBiased>
void AttendBlock(const AttentionShape& s, const detail::Workspace& w,
                 const detail::QueryBlock& block, const typename Access::T* head,
                 typename Access::T* out, float* work) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.head_dim));
  for (std::size_t r = 0; r < block.rows; ++r) {
    const auto* q = head + (block.first + r) * s.token_stride;
    float* to = work + w.queries + r * w.dim_pitch;
    for (std::size_t i = 0; i < s.head_dim; ++i) to[i] = Access::Get(q + i) * scale;
  }
  float* scores = work + w.scores;
  SmallGemm(work + w.queries, w.dim_pitch, work + w.keys, w.token_pitch, scores, w.token_pitch,
            block.rows, w.token_pitch, s.head_dim);
  float inverse[detail::kQueryBlock];
  for (std::size_t r = 0; r < block.rows; ++r) {
    inverse[r] =
        1.0F / ExpRow<kBiased>(scores + r * w.token_pitch, work + w.bias, s.tokens, w.token_pitch);
  }
  SmallGemm(scores, w.token_pitch, work + w.values, w.dim_pitch, work + w.outputs, w.dim_pitch,
            block.rows, w.dim_pitch, s.tokens);
  for (std::size_t r = 0; r < block.rows; ++r) {
    const float* from = work + w.outputs + r * w.dim_pitch;
    auto* to = out + r * s.out_token_stride;
    for (std::size_t i = 0; i < s.head_dim; ++i) Access::Put(from[i] * inverse[r], to + i);
  }
}

// Query blocks begin..end. What is packed serves all blocks of a head.
void AttendBlocks(const AttentionShape& s, ActKind kind, const void* qkv, const float* key_bias,
                  void* out, float* work, std::size_t begin, std::size_t end) {
  const detail::Workspace w(s);
  WithAccess(kind, [&](auto access) {
    using Access = decltype(access);
    using T = typename Access::T;
    for (std::size_t i = begin; i < end; ++i) {
      const detail::QueryBlock block(s, i);
      const T* head = static_cast<const T*>(qkv) + block.head_offset(s);
      T* to = static_cast<T*>(out) + block.out_offset(s);
      if (i == begin || block.first == 0) {
        PackKeysValues<Access>(s, head, work, w);
        if (key_bias != nullptr) {
          PackBias(s, key_bias + block.sequence * s.tokens, work + w.bias, w);
        }
      }
      if (key_bias == nullptr) {
        AttendBlock<Access, false>(s, w, block, head, to, work);
      } else {
        AttendBlock<Access, true>(s, w, block, head, to, work);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mien::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mien::engine {

HWY_EXPORT(AttendBlocks);

std::size_t attention_scratch_floats(const AttentionShape& shape) {
  return std::max(detail::Workspace(shape).total, detail::attention_bf16_scratch_floats(shape));
}

void attention(const AttentionShape& shape, ActKind kind, const void* qkv, void* out,
               float* scratch, const float* key_bias) {
  const std::size_t per_thread = attention_scratch_floats(shape);
  const std::size_t blocks = detail::attention_blocks(shape);
  const std::size_t work =
      std::min(shape.tokens, detail::kQueryBlock) * shape.tokens * shape.head_dim + 1;
  const bool in_bf16 = kind == ActKind::kBf16 && detail::attends_in_bf16(shape);
  parallel_ranges(blocks, 100000 / work + 1, [&](std::size_t begin, std::size_t end, int thread) {
    float* own = scratch + static_cast<std::size_t>(thread) * per_thread;
    if (in_bf16) {
      detail::attend_blocks_bf16(shape, static_cast<const std::uint16_t*>(qkv), key_bias,
                                 static_cast<std::uint16_t*>(out), own, begin, end);
    } else {
      HWY_DYNAMIC_DISPATCH(AttendBlocks)
      (shape, kind, qkv, key_bias, out, own, begin, end);
    }
  });
}

}  // namespace mien::engine
#endif  // HWY_ONCE
