#include "engine/kernels/attention_bf16.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/kernels/attention_blocks.h"

#if defined(__x86_64__)
#include <hwy/base.h>
#include <immintrin.h>
#endif

namespace mien::engine::detail {

#if defined(__x86_64__)

namespace {

// Two bf16 values, the first in the lower half: what the instruction multiplies by two others.
using Pair = std::uint32_t;

constexpr std::size_t kLanes = 16;

// Where the parts of a thread's workspace begin, in units of 4 bytes. Keys and values are packed in
// panels of 16 columns, so that a panel is read from end to end.
struct Workspace {
  explicit Workspace(const AttentionShape& s)
      : pairs(s.head_dim / 2),
        token_panels((s.tokens + kLanes - 1) / kLanes),
        dim_panels((s.head_dim + kLanes - 1) / kLanes),
        pitch(token_panels * kLanes) {
    values = keys + token_panels * pairs * kLanes;
    scores = values + dim_panels * pitch / 2 * kLanes;
    weights = scores + kQueryBlock * pitch;
    bias = weights + kQueryBlock * pitch / 2;
    total = bias + pitch;
  }
  std::size_t pairs;                     // of a head
  std::size_t token_panels, dim_panels;  // of the keys, of the values
  std::size_t pitch;                     // tokens of all panels
  std::size_t keys = 0;                  // pairs [token_panels, pairs, 16]
  std::size_t values;                    // pairs of tokens [dim_panels, pitch / 2, 16]
  std::size_t scores;                    // f32 [kQueryBlock, pitch]
  std::size_t weights;                   // bf16 [kQueryBlock, pitch]
  std::size_t bias;                      // f32 [pitch]
  std::size_t total;
};

// 2^x on 0..1 to 3e-6 of it: the polynomial of degree 4 with the smallest relative error (Remez).
constexpr float kExp2[] = {1.00000259F, 0.693003834F, 0.241442757F, 0.0520114606F, 0.0135341679F};

constexpr float kOctaves = 1.44269504F;  // of a factor e

}  // namespace

// All of this runs on such CPUs only. What it takes from headers is compiled before, for any CPU.
HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
namespace {

Pair pair_at(const std::uint16_t* p) {
  Pair pair = 0;
  std::memcpy(&pair, p, sizeof pair);
  return pair;
}

// [token_panels, pairs, 16]: pair i of 16 keys side by side; keys behind the last are 0.
void pack_keys(const AttentionShape& s, const Workspace& w, const std::uint16_t* keys, Pair* to) {
  for (std::size_t panel = 0; panel < w.token_panels; ++panel, to += w.pairs * kLanes) {
    const std::size_t first = panel * kLanes;
    const std::size_t count = std::min(kLanes, s.tokens - first);
    for (std::size_t t = 0; t < count; ++t) {
      const std::uint16_t* key = keys + (first + t) * s.token_stride;
      for (std::size_t i = 0; i < w.pairs; ++i) to[i * kLanes + t] = pair_at(key + 2 * i);
    }
    for (std::size_t t = count; t < kLanes; ++t) {
      for (std::size_t i = 0; i < w.pairs; ++i) to[i * kLanes + t] = 0;
    }
  }
}

// [dim_panels, pitch / 2, 16]: dimension d of two tokens as a pair; tokens and dimensions behind
// the last are 0.
void pack_values(const AttentionShape& s, const Workspace& w, const std::uint16_t* values,
                 Pair* to) {
  static constexpr std::uint16_t kNone[kLanes] = {};
  for (std::size_t panel = 0; panel < w.dim_panels; ++panel) {
    const std::size_t first = panel * kLanes;
    const std::size_t count = std::min(kLanes, s.head_dim - first);
    for (std::size_t t = 0; t < w.pitch; t += 2, to += kLanes) {
      const std::uint16_t* row = values + t * s.token_stride + first;
      const std::uint16_t* low = t < s.tokens ? row : kNone;
      const std::uint16_t* high = t + 1 < s.tokens ? row + s.token_stride : kNone;
      for (std::size_t d = 0; d < count; ++d) to[d] = low[d] | static_cast<Pair>(high[d]) << 16U;
      for (std::size_t d = count; d < kLanes; ++d) to[d] = 0;
    }
  }
}

// sum[r][p] = row r of `a` times panel p of `b`, over `depth` pairs; given to `sink(r, p, sum)`.
// `a_pitch` counts bf16, `b_pitch` pairs.
template <int kRows, int kPanels, class Sink>
inline void multiply_tile(const std::uint16_t* a, std::size_t a_pitch, const Pair* b,
                          std::size_t b_pitch, std::size_t depth, const Sink& sink) {
  __m512 sum[kRows][kPanels];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) sum[r][p] = _mm512_setzero_ps();
  }
  for (std::size_t k = 0; k < depth; ++k) {
    __m512bh right[kPanels];
    for (int p = 0; p < kPanels; ++p) {
      right[p] =
          (__m512bh)_mm512_load_si512(b + static_cast<std::size_t>(p) * b_pitch + k * kLanes);
    }
    for (int r = 0; r < kRows; ++r) {
      int pair = 0;
      __builtin_memcpy(&pair, a + static_cast<std::size_t>(r) * a_pitch + 2 * k, sizeof pair);
      const __m512bh left = (__m512bh)_mm512_set1_epi32(pair);
      for (int p = 0; p < kPanels; ++p) sum[r][p] = _mm512_dpbf16_ps(sum[r][p], left, right[p]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) sink(r, p, sum[r][p]);
  }
}

// All rows against kPanels panels: as many rows at a time as accumulators fit into 32 registers.
template <int kPanels, class Sink>
inline void multiply_rows(const std::uint16_t* a, std::size_t a_pitch, std::size_t rows,
                          const Pair* b, std::size_t b_pitch, std::size_t depth, const Sink& sink) {
  std::size_t r = 0;
  const auto from = [&](int i, int p, __m512 sum) {
    sink(r + static_cast<std::size_t>(i), p, sum);
  };
  for (; r + 8 <= rows; r += 8) {
    multiply_tile<8, kPanels>(a + r * a_pitch, a_pitch, b, b_pitch, depth, from);
  }
  for (; r + 4 <= rows; r += 4) {
    multiply_tile<4, kPanels>(a + r * a_pitch, a_pitch, b, b_pitch, depth, from);
  }
  for (; r < rows; ++r) {
    multiply_tile<1, kPanels>(a + r * a_pitch, a_pitch, b, b_pitch, depth, from);
  }
}

// `sink(row, panel, 16 sums)` of all rows and panels.
template <class Sink>
inline void multiply(const std::uint16_t* a, std::size_t a_pitch, std::size_t rows, const Pair* b,
                     std::size_t panels, std::size_t depth, const Sink& sink) {
  const std::size_t pitch = depth * kLanes;
  std::size_t panel = 0;
  const auto from = [&](std::size_t r, int p, __m512 sum) {
    sink(r, panel + static_cast<std::size_t>(p), sum);
  };
  for (; panel + 3 <= panels; panel += 3) {
    multiply_rows<3>(a, a_pitch, rows, b + panel * pitch, pitch, depth, from);
  }
  if (panel + 2 <= panels) {
    multiply_rows<2>(a, a_pitch, rows, b + panel * pitch, pitch, depth, from);
    panel += 2;
  }
  if (panel < panels) multiply_rows<1>(a, a_pitch, rows, b + panel * pitch, pitch, depth, from);
}

// 2^x to 3e-6 of it; 0 far below the smallest float.
inline __m512 exp2_of(__m512 x) {
  const __m512 fraction = _mm512_reduce_ps(x, 0x09);  // x - floor(x)
  __m512 p = _mm512_set1_ps(kExp2[4]);
  p = _mm512_fmadd_ps(p, fraction, _mm512_set1_ps(kExp2[3]));
  p = _mm512_fmadd_ps(p, fraction, _mm512_set1_ps(kExp2[2]));
  p = _mm512_fmadd_ps(p, fraction, _mm512_set1_ps(kExp2[1]));
  p = _mm512_fmadd_ps(p, fraction, _mm512_set1_ps(kExp2[0]));
  return _mm512_scalef_ps(p, x);
}

// The weights of the keys from the scores of one query, whose unit is octaves: 2^(score - largest),
// as bf16; returns one over their sum. `pitch` is a multiple of 16; those behind `n` become 0.
inline float weigh_row(float* scores, const float* bias, std::size_t n, std::size_t pitch,
                       std::uint16_t* weights) {
  for (std::size_t i = n; i < pitch; ++i) scores[i] = -std::numeric_limits<float>::max();
  __m512 top = _mm512_set1_ps(-std::numeric_limits<float>::max());
  for (std::size_t i = 0; i < pitch; i += kLanes) {
    __m512 x = _mm512_load_ps(scores + i);
    if (bias != nullptr) {
      x = _mm512_add_ps(x, _mm512_load_ps(bias + i));
      _mm512_store_ps(scores + i, x);
    }
    top = _mm512_max_ps(top, x);
  }
  top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
  __m512 sum = _mm512_setzero_ps();
  for (std::size_t i = 0; i < pitch; i += kLanes) {
    const __m512 e = exp2_of(_mm512_sub_ps(_mm512_load_ps(scores + i), top));
    sum = _mm512_add_ps(sum, e);
    _mm256_store_si256(reinterpret_cast<__m256i*>(weights + i), (__m256i)_mm512_cvtneps_pbh(e));
  }
  return 1.0F / _mm512_reduce_add_ps(sum);
}

void attend_block(const AttentionShape& s, const Workspace& w, const QueryBlock& block,
                  const std::uint16_t* head, const float* bias, std::uint16_t* out, float* work) {
  const auto* keys = reinterpret_cast<const Pair*>(work + w.keys);
  const auto* values = reinterpret_cast<const Pair*>(work + w.values);
  auto* weights = reinterpret_cast<std::uint16_t*>(work + w.weights);
  float* scores = work + w.scores;
  const __m512 scale = _mm512_set1_ps(kOctaves / __builtin_sqrtf(static_cast<float>(s.head_dim)));
  multiply(head + block.first * s.token_stride, s.token_stride, block.rows, keys, w.token_panels,
           w.pairs, [&](std::size_t r, std::size_t panel, __m512 sum) {
             _mm512_store_ps(scores + r * w.pitch + panel * kLanes, _mm512_mul_ps(sum, scale));
           });
  float inverse[kQueryBlock];
  for (std::size_t r = 0; r < block.rows; ++r) {
    inverse[r] = weigh_row(scores + r * w.pitch, bias, s.tokens, w.pitch, weights + r * w.pitch);
  }
  multiply(weights, w.pitch, block.rows, values, w.dim_panels, w.pitch / 2,
           [&](std::size_t r, std::size_t panel, __m512 sum) {
             const std::size_t left = s.head_dim - panel * kLanes;
             const auto mask = static_cast<__mmask16>(left >= kLanes ? 0xFFFFU : (1U << left) - 1U);
             const __m512 mean = _mm512_mul_ps(sum, _mm512_set1_ps(inverse[r]));
             _mm256_mask_storeu_epi16(out + r * s.out_token_stride + panel * kLanes, mask,
                                      (__m256i)_mm512_cvtneps_pbh(mean));
           });
}

}  // namespace
HWY_POP_ATTRIBUTES

bool attends_in_bf16(const AttentionShape& shape) {
  static const bool can = __builtin_cpu_supports("avx512bf16") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0;
  return can && shape.head_dim % 2 == 0;
}

std::size_t attention_bf16_scratch_floats(const AttentionShape& shape) {
  return Workspace(shape).total;
}

void attend_blocks_bf16(const AttentionShape& s, const std::uint16_t* qkv, const float* key_bias,
                        std::uint16_t* out, float* work, std::size_t begin, std::size_t end) {
  const Workspace w(s);
  float* bias = key_bias == nullptr ? nullptr : work + w.bias;
  for (std::size_t i = begin; i < end; ++i) {
    const QueryBlock block(s, i);
    const std::uint16_t* head = qkv + block.head_offset(s);
    if (i == begin || block.first == 0) {
      pack_keys(s, w, head + s.width(), reinterpret_cast<Pair*>(work + w.keys));
      pack_values(s, w, head + 2 * s.width(), reinterpret_cast<Pair*>(work + w.values));
      for (std::size_t t = 0; bias != nullptr && t < w.pitch; ++t) {
        bias[t] = t < s.tokens ? key_bias[block.sequence * s.tokens + t] * kOctaves : 0.0F;
      }
    }
    attend_block(s, w, block, head, bias, out + block.out_offset(s), work);
  }
}

#else

bool attends_in_bf16(const AttentionShape& /*shape*/) {
  return false;
}

std::size_t attention_bf16_scratch_floats(const AttentionShape& /*shape*/) {
  return 0;
}

void attend_blocks_bf16(const AttentionShape& /*s*/, const std::uint16_t* /*qkv*/,
                        const float* /*key_bias*/, std::uint16_t* /*out*/, float* /*work*/,
                        std::size_t /*begin*/, std::size_t /*end*/) {}

#endif

}  // namespace mien::engine::detail
