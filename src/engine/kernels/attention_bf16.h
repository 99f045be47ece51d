// Private to attention(): the same in products of bf16, on CPUs that multiply pairs of them
// (AVX512_BF16).
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/attention.h"

namespace mien::engine::detail {

// Whether this CPU has the instructions and the heads can be read in pairs (an even head_dim).
bool attends_in_bf16(const AttentionShape& shape);

// Floats of workspace per thread.
std::size_t attention_bf16_scratch_floats(const AttentionShape& shape);

// Query blocks begin..end of attention_blocks(shape), on the calling thread; only where
// attends_in_bf16(). Weights of the keys are rounded to bf16 before they multiply the values; sums
// are f32. `work` is aligned to 64 bytes.
void attend_blocks_bf16(const AttentionShape& shape, const std::uint16_t* qkv,
                        const float* key_bias, std::uint16_t* out, float* work, std::size_t begin,
                        std::size_t end);

}  // namespace mien::engine::detail
