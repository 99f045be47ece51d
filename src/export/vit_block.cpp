#include "export/vit_block.h"

#include <algorithm>

#include "core/s2d_spec.h"

namespace mien::exporting {
namespace {

Matrix read_qkv(const Weights& weights, std::size_t width) {
  Matrix qkv = read_matrix(weights, "attn.qkv");
  if (!qkv.bias.empty() || !weights.has("attn.q_bias")) return qkv;
  const std::vector<float> q = weights.floats("attn.q_bias");
  const std::vector<float> v = weights.floats("attn.v_bias");
  qkv.bias.assign(3 * width, 0.0F);
  std::copy_n(q.begin(), width, qkv.bias.begin());
  std::copy_n(v.begin(), width, qkv.bias.end() - static_cast<std::ptrdiff_t>(width));
  return qkv;
}

}  // namespace

Value vit_block(GraphBuilder& g, const Weights& weights, const VitSizes& sizes, const Value& x,
                const Value& key_bias) {
  const Value to_mix = layer_norm(g, weights, "norm1", x, core::kVitNormEps);
  const Matrix matrix = read_qkv(weights, static_cast<std::size_t>(sizes.width));
  const Value qkv = affine(g, weights.full("attn.qkv"), matrix, to_mix);
  const Value mixed = self_attention(g, qkv, sizes.width, sizes.heads, key_bias);
  const Value between = add(g, x, linear(g, weights, "attn.proj", mixed));
  const Value normed = layer_norm(g, weights, "norm2", between, core::kVitNormEps);
  const Value hidden = gelu(g, linear(g, weights, "mlp.fc1", normed));
  return add(g, between, linear(g, weights, "mlp.fc2", hidden));
}

Value vit_blocks(GraphBuilder& g, const Weights& weights, const VitSizes& sizes, int begin, int end,
                 Value x, const Value& key_bias) {
  for (int i = begin; i < end; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    g.enter(name);
    x = vit_block(g, weights.under(name + "."), sizes, x, key_bias);
  }
  g.enter("");
  return x;
}

}  // namespace mien::exporting
