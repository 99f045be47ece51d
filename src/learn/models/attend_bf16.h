// Attention in place of bf16 rows: the products read bf16 and sum in f32, the softmax is f32's.
// Compiled where MIEN_BF16_KERNELS is defined: with oneDNN and Highway.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace mien::learn {

// Whether attend_bf16() takes these: bf16 rows as a linear layer leaves them, on a CPU whose bf16
// products are fast. `key_bias` is undefined or f32; the gradient of one of
// each query is left to LibTorch.
bool attends_in_bf16(const torch::Tensor& qkv, const torch::Tensor& key_bias);

// As attend(). Scores are f32 from the product until they are weights, which are rounded to bf16;
// in LibTorch's steps they are rounded as scores too.
torch::Tensor attend_bf16(const torch::Tensor& qkv, std::int64_t heads,
                          const torch::Tensor& key_bias);

}  // namespace mien::learn
