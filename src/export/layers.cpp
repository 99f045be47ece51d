#include "export/layers.h"

#include <cmath>

namespace mien::exporting {
namespace {

core::Shape sizes(std::initializer_list<std::size_t> values) {
  core::Shape shape;
  for (const std::size_t v : values) shape.push_back(static_cast<std::int64_t>(v));
  return shape;
}

// [out, in] -> [in, out], as MatMul takes it.
std::vector<float> transposed(const std::vector<float>& weight, std::size_t out) {
  const std::size_t in = weight.size() / out;
  std::vector<float> turned(weight.size());
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) turned[i * out + o] = weight[o * in + i];
  }
  return turned;
}

}  // namespace

Matrix read_matrix(const Weights& weights, const std::string& name) {
  Matrix matrix;
  matrix.weight = weights.floats(name + ".weight");
  matrix.out = static_cast<std::size_t>(weights.shape(name + ".weight").at(0));
  if (weights.has(name + ".bias")) matrix.bias = weights.floats(name + ".bias");
  return matrix;
}

Value affine(GraphBuilder& g, const std::string& name, const Matrix& matrix, const Value& x) {
  const std::size_t in = matrix.weight.size() / matrix.out;
  const Value weight = g.constant(name + ".weight.T", transposed(matrix.weight, matrix.out),
                                  sizes({in, matrix.out}));
  const Value product = matmul(g, x, weight);
  if (matrix.bias.empty()) return product;
  return add(g, product, g.constant(name + ".bias", matrix.bias, sizes({matrix.out})));
}

Value linear(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x) {
  return affine(g, weights.full(name), read_matrix(weights, name), x);
}

Value layer_norm(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x,
                 float eps) {
  const auto constant = [&](const char* part) {
    const std::vector<float> values = weights.floats(name + part);
    return g.constant(weights.full(name) + part, values, sizes({values.size()}));
  };
  const Value scale = constant(".weight");
  const Value shift = constant(".bias");
  return g.node("LayerNormalization", {x, scale, shift},
                {int_attribute("axis", -1), float_attribute("epsilon", eps)});
}

Value conv_block(GraphBuilder& g, const Weights& weights, const core::ConvBlockSpec& spec,
                 const Value& x, bool relu) {
  const std::string name = weights.full(spec.name);
  const FoldedNorm norm = fold_batch_norm(weights, spec.name + ".bn");
  std::vector<float> filters = weights.floats(spec.name + ".conv.weight");
  const std::size_t channels = norm.scale.size();
  const std::size_t each = filters.size() / channels;
  std::vector<float> bias;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = c * each; i < (c + 1) * each; ++i) {
      filters[i] = static_cast<float>(static_cast<double>(filters[i]) * norm.scale[c]);
    }
    bias.push_back(static_cast<float>(norm.shift[c]));
  }
  const core::Shape shape = weights.shape(spec.name + ".conv.weight");
  const Value w = g.constant(name + ".conv.weight.folded", filters, shape);
  const Value b = g.constant(name + ".conv.bias.folded", bias, sizes({channels}));
  const std::int64_t pad = spec.padding;
  const Value map = g.node(
      "Conv", {x, w, b},
      {ints_attribute("kernel_shape", Ints{spec.kernel, spec.kernel}),
       ints_attribute("strides", Ints{spec.stride, spec.stride}),
       ints_attribute("pads", Ints{pad, pad, pad, pad}), int_attribute("group", spec.groups)});
  if (!spec.prelu) return relu ? g.node("Relu", {map}) : map;
  const std::vector<float> slopes = weights.floats(spec.name + ".prelu.weight");
  return g.node("PRelu",
                {map, g.constant(name + ".prelu.weight", slopes, sizes({slopes.size(), 1, 1}))});
}

Value patch_conv(GraphBuilder& g, const Weights& weights, const std::string& name, const Value& x) {
  const core::Shape shape = weights.shape(name + ".weight");
  const Ints kernel(shape.begin() + 2, shape.end());
  const Value filters =
      g.constant(weights.full(name) + ".weight", weights.floats(name + ".weight"), shape);
  const Value bias = g.constant(weights.full(name) + ".bias", weights.floats(name + ".bias"),
                                core::Shape{shape.front()});
  return g.node("Conv", {x, filters, bias},
                {ints_attribute("kernel_shape", kernel), ints_attribute("strides", kernel)});
}

Value tokens_of(GraphBuilder& g, const Value& map, std::int64_t channels) {
  return transpose(g, reshape(g, map, Ints{0, channels, -1}), Ints{0, 2, 1});
}

Value self_attention(GraphBuilder& g, const Value& qkv, std::int64_t width, std::int64_t heads,
                     const Value& key_bias) {
  const std::int64_t head = width / heads;
  const std::vector<Value> parts =
      g.nodes("Split", {qkv, g.ints(Ints{width, width, width})}, {int_attribute("axis", 2)}, 3);
  const auto by_head = [&](const Value& part, const Ints& order) {
    return transpose(g, reshape(g, part, Ints{0, 0, heads, head}), order);
  };
  const Value q = by_head(parts[0], Ints{0, 2, 1, 3});
  const Value k = by_head(parts[1], Ints{0, 2, 3, 1});
  const Value v = by_head(parts[2], Ints{0, 2, 1, 3});
  const float scale = 1.0F / std::sqrt(static_cast<float>(head));
  Value scores = matmul(g, mul(g, q, g.scalar(scale)), k);
  if (!key_bias.empty()) scores = add(g, scores, key_bias);
  const Value mixed = matmul(g, softmax(g, scores, -1), v);
  return reshape(g, transpose(g, mixed, Ints{0, 2, 1, 3}), Ints{0, 0, width});
}

}  // namespace mien::exporting
