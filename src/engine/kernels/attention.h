// softmax(scale q k^T) v per sequence and head, as one kernel: scores never leave the cache.
#pragma once

#include <cstddef>

#include "engine/kernels/act.h"

namespace mien::engine {

// `sequences` sequences of `tokens` tokens. A token's q, k and v lie behind each other, each
// [heads, head_dim] (the layout that timm's qkv layer gives), q of sequence s, token t at
//   qkv + s * sequence_stride + t * token_stride           (strides in elements),
// and its output [heads * head_dim] at
//   out + s * out_sequence_stride + t * out_token_stride.
struct AttentionShape {
  std::size_t sequences = 0;
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::size_t head_dim = 0;
  std::size_t sequence_stride = 0;
  std::size_t token_stride = 0;
  std::size_t out_sequence_stride = 0;
  std::size_t out_token_stride = 0;

  std::size_t width() const { return heads * head_dim; }
};

// Floats of workspace per thread.
std::size_t attention_scratch_floats(const AttentionShape& shape);

// scale = head_dim^-0.5. qkv and out are of `kind`; `scratch` holds threads *
// attention_scratch_floats(shape) floats, aligned to 64 bytes. `key_bias`, f32 [sequences, tokens]
// or null, is added to the scores of each key before the softmax: the logarithm of a mask over the
// keys. Does not allocate or fail.
void attention(const AttentionShape& shape, ActKind kind, const void* qkv, void* out,
               float* scratch, const float* key_bias = nullptr);

}  // namespace mien::engine
