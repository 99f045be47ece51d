// Private to the attention kernels: the pieces of work that threads share out.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/kernels/attention.h"

namespace mien::engine::detail {

// Query rows that are worked on together; their scores stay in a core's own cache.
inline constexpr std::size_t kQueryBlock = 32;

inline std::size_t blocks_per_head(const AttentionShape& s) {
  return (s.tokens + kQueryBlock - 1) / kQueryBlock;
}

// All query blocks of all heads of all sequences. Blocks rather than heads are shared out, so that
// two threads have as much to do with three heads as with four.
inline std::size_t attention_blocks(const AttentionShape& s) {
  return s.sequences * s.heads * blocks_per_head(s);
}

// One of them.
struct QueryBlock {
  QueryBlock(const AttentionShape& s, std::size_t index)
      : sequence(index / blocks_per_head(s) / s.heads),
        head(index / blocks_per_head(s) % s.heads),
        first(index % blocks_per_head(s) * kQueryBlock),
        rows(std::min(kQueryBlock, s.tokens - first)) {}

  // Of q of its head's first token, and of its first row of outputs, in elements.
  std::size_t head_offset(const AttentionShape& s) const {
    return sequence * s.sequence_stride + head * s.head_dim;
  }
  std::size_t out_offset(const AttentionShape& s) const {
    return sequence * s.out_sequence_stride + head * s.head_dim + first * s.out_token_stride;
  }

  std::size_t sequence, head;
  std::size_t first, rows;  // its tokens
};

}  // namespace mien::engine::detail
