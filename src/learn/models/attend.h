// Multi-head attention: softmax(q k^T / sqrt(d) + bias) v.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace mien::learn {

// qkv: what one linear layer makes of B sequences of N tokens, [B, N, 3D] with the queries first,
// then keys, then values, each as `heads` parts of d = D / heads. Returns [B, N, D], of the type of
// qkv. A `key_bias` [B, N] is added to the scores of each key before the softmax, or one of [B, N,
// N] to those of each query (second dimension) with each key; undefined: none.
//
// On the CPU the products read qkv and write results and gradients where they lie, a block of
// queries at a time, so that nothing is copied and a block of the scores stays in the cache from
// one step to the next: in f32, and in bf16 where oneDNN multiplies it fast (attend_bf16.h).
// Otherwise the steps are LibTorch's own. Where a gradient is wanted all keep the weights [B,
// heads, N, N] in the type of qkv; that of the steps in place cannot be differentiated again.
torch::Tensor attend(const torch::Tensor& qkv, std::int64_t heads,
                     const torch::Tensor& key_bias = {});

// The same in LibTorch's own steps, whatever the device and type.
torch::Tensor attend_in_steps(const torch::Tensor& qkv, std::int64_t heads,
                              const torch::Tensor& key_bias = {});

}  // namespace mien::learn
