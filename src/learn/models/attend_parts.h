// What attention in place takes apart: heads of a sequence, blocks of their queries.
#pragma once

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mien::learn {

// Scores of a block of queries, in f32: what fits into half of a core's cache of 1 MiB, with its
// gradient.
inline constexpr std::int64_t kBlockScores = 64 * 1024;
// Below that products are no longer worth their packing.
inline constexpr std::int64_t kLeastQueries = 48;

// The queries, keys or values (`which`: 0, 1, 2) of one head of one sequence: a view [N, d] of
// [B, N, 3D].
inline torch::Tensor part_of(const torch::Tensor& qkv, std::int64_t which, std::int64_t sequence,
                             std::int64_t head, std::int64_t heads) {
  const std::int64_t width = qkv.size(2) / 3;
  const std::int64_t head_dim = width / heads;
  return qkv.select(0, sequence).narrow(1, which * width + head * head_dim, head_dim);
}

// 1 / sqrt(d).
inline double scale_of(const torch::Tensor& qkv, std::int64_t heads) {
  return 1.0 / std::sqrt(static_cast<double>(qkv.size(2) / (3 * heads)));
}

// Queries of a block but the last: as many as give blocks of nearly one size, in whole vectors.
inline std::int64_t block_queries(std::int64_t tokens) {
  const std::int64_t most = std::max(kBlockScores / tokens, kLeastQueries);
  const std::int64_t blocks = (tokens + most - 1) / most;
  const std::int64_t even = (tokens + blocks - 1) / blocks;
  return std::min(tokens, (even + 15) / 16 * 16);
}

// Calls piece(first query, their number) for blocks of queries.
template <typename Piece>
void for_queries(std::int64_t tokens, const Piece& piece) {
  const std::int64_t block = block_queries(tokens);
  for (std::int64_t first = 0; first < tokens; first += block) {
    piece(first, std::min(block, tokens - first));
  }
}

// Calls piece(sequence, head, scratch) for each head of each sequence, in parallel where this
// thread may, each thread with a `scratch` of its own from make_scratch(). Nothing inside is
// recorded.
template <typename MakeScratch, typename Piece>
void for_heads(std::int64_t sequences, std::int64_t heads, const MakeScratch& make_scratch,
               const Piece& piece) {
  at::parallel_for(0, sequences * heads, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView plain;
    auto scratch = make_scratch();
    for (std::int64_t i = begin; i < end; ++i) piece(i / heads, i % heads, scratch);
  });
}

// The same without a scratch: piece(sequence, head).
template <typename Piece>
void for_heads(std::int64_t sequences, std::int64_t heads, const Piece& piece) {
  for_heads(
      sequences, heads, [] { return 0; },
      [&](std::int64_t b, std::int64_t h, int& /*scratch*/) { piece(b, h); });
}

}  // namespace mien::learn
