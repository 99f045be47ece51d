// The pre-norm transformer block that S2D, VideoMAE and AdaTosk share (timm's Block).
#pragma once

#include <cstdint>
#include <string>

#include "export/layers.h"

namespace mien::exporting {

struct VitSizes {
  std::int64_t width = 0;
  std::int64_t heads = 0;
};

// x + attention(norm1(x)), then + fc2(gelu(fc1(norm2(x)))). `weights` see "norm1.weight" and on.
// The bias of qkv is attn.qkv.bias, or VideoMAE's [q_bias, 0, v_bias], or none. x: [n, tokens,
// width]; `key_bias`: see self_attention().
Value vit_block(GraphBuilder& g, const Weights& weights, const VitSizes& sizes, const Value& x,
                const Value& key_bias = "");

// Blocks begin..end - 1 of a network, which are under "blocks.<i>.".
Value vit_blocks(GraphBuilder& g, const Weights& weights, const VitSizes& sizes, int begin, int end,
                 Value x, const Value& key_bias = "");

}  // namespace mien::exporting
