// Layers of the networks, each with its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/mobilefacenet_spec.h"
#include "export/ops.h"
#include "export/weights.h"

namespace mien::exporting {

// A matrix and, unless empty, a bias.
struct Matrix {
  std::vector<float> weight;  // [out, in]
  std::vector<float> bias;    // [out]
  std::size_t out = 0;
};

// <name>.weight, [out, in] or [out, in, 1, 1], and <name>.bias where there is one.
Matrix read_matrix(const Weights& weights, const std::string& name);

// x W^T + b over the last axis of x. `name`: of the numbers in the graph.
Value affine(GraphBuilder& g, const std::string& name, const Matrix& matrix, const Value& x);

// The same of the tensors under `name`.
Value linear(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x);

// LayerNorm over the last axis with <name>.weight and <name>.bias.
Value layer_norm(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x,
                 float eps);

// A convolution with its BatchNorm folded into it, then PReLU where the spec has one, else ReLU
// when `relu`. x: [n, in, rows, columns].
Value conv_block(GraphBuilder& g, const Weights& weights, const core::ConvBlockSpec& spec,
                 const Value& x, bool relu);

// A convolution whose stride is its kernel, of <name>.weight and <name>.bias: patches, cubes (over
// three axes) or single places (1x1).
Value patch_conv(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x);

// [n, channels, ...places] -> [n, places, channels].
Value tokens_of(GraphBuilder& g, const Value& map, std::int64_t channels);

// Attention of the tokens of each sequence to each other.
//   qkv       [n, tokens, 3 width], a row: q, k and v behind each other, each [heads, width /
//   heads] key_bias  [n, 1, 1, tokens], added to the scores of the keys; "": none
// -> [n, tokens, width].
Value self_attention(GraphBuilder& g, const Value& qkv, std::int64_t width, std::int64_t heads,
                     const Value& key_bias);

}  // namespace mien::exporting
