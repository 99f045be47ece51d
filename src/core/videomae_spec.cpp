#include "core/videomae_spec.h"

#include <algorithm>
#include <cmath>

namespace mien::core {
namespace {

void append_weight_and_bias(TensorTable& table, const std::string& name, Shape weight) {
  const std::int64_t outputs = weight.front();
  table.push_back({name + ".weight", std::move(weight)});
  table.push_back({name + ".bias", {outputs}});
}

void append_block(TensorTable& table, const VideoMaeConfig& c, int index) {
  const std::string name = "blocks." + std::to_string(index);
  append_weight_and_bias(table, name + ".norm1", {c.embed_dim});
  if (c.qkv_bias) {
    table.push_back({name + ".attn.q_bias", {c.embed_dim}});
    table.push_back({name + ".attn.v_bias", {c.embed_dim}});
  }
  table.push_back({name + ".attn.qkv.weight", {3 * c.embed_dim, c.embed_dim}});
  append_weight_and_bias(table, name + ".attn.proj", {c.embed_dim, c.embed_dim});
  append_weight_and_bias(table, name + ".norm2", {c.embed_dim});
  append_weight_and_bias(table, name + ".mlp.fc1", {c.mlp_dim(), c.embed_dim});
  append_weight_and_bias(table, name + ".mlp.fc2", {c.embed_dim, c.mlp_dim()});
}

Result<Shape> shape_of(const TensorViewMap& tensors, const std::string& name, std::size_t rank) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) {
    return make_error(ErrorCode::kBadFormat, "not a VideoMAE state dict: no tensor '" + name + "'");
  }
  const Shape& shape = it->second.shape;
  const bool sane = shape.size() == rank && std::all_of(shape.begin(), shape.end(), [](auto size) {
                      return size >= 1 && size <= 16384;
                    });
  if (!sane) {
    return make_error(ErrorCode::kBadFormat,
                      "tensor '" + name + "' has shape " + shape_string(shape));
  }
  return shape;
}

}  // namespace

TensorTable videomae_table(const VideoMaeConfig& c) {
  TensorTable table;
  append_weight_and_bias(table, "patch_embed.proj",
                         {c.embed_dim, c.in_chans, c.tubelet_size, c.patch_size, c.patch_size});
  for (int i = 0; i < c.depth; ++i) append_block(table, c, i);
  append_weight_and_bias(table, "fc_norm", {c.embed_dim});
  append_weight_and_bias(table, "head", {c.num_classes, c.embed_dim});
  return table;
}

std::vector<float> sincos_positions(std::int64_t tokens, int width) {
  std::vector<float> table;
  if (tokens <= 0 || width <= 0) return table;
  table.reserve(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(width));
  std::vector<double> divisor(static_cast<std::size_t>(width));
  for (int j = 0; j < width; ++j) {
    const int even = j - j % 2;
    divisor[static_cast<std::size_t>(j)] = std::pow(10000.0, static_cast<double>(even) / width);
  }
  for (std::int64_t token = 0; token < tokens; ++token) {
    for (std::size_t j = 0; j < divisor.size(); ++j) {
      const double angle = static_cast<double>(token) / divisor[j];
      table.push_back(static_cast<float>(j % 2 == 0 ? std::sin(angle) : std::cos(angle)));
    }
  }
  return table;
}

Result<VideoMaeConfig> infer_videomae_config(const TensorViewMap& tensors) {
  VideoMaeConfig c;
  MIEN_ASSIGN(const Shape proj, shape_of(tensors, "patch_embed.proj.weight", 5));
  MIEN_ASSIGN(const Shape fc1, shape_of(tensors, "blocks.0.mlp.fc1.weight", 2));
  MIEN_ASSIGN(const Shape head, shape_of(tensors, "head.weight", 2));
  c.embed_dim = static_cast<int>(proj[0]);
  c.in_chans = static_cast<int>(proj[1]);
  c.tubelet_size = static_cast<int>(proj[2]);
  c.patch_size = static_cast<int>(proj[3]);
  c.num_heads = std::max(1, c.embed_dim / 64);
  c.mlp_ratio = static_cast<double>(fc1[0]) / c.embed_dim;
  c.num_classes = static_cast<int>(head[0]);
  c.qkv_bias = tensors.contains("blocks.0.attn.q_bias");
  c.use_learnable_pos_emb = tensors.contains("pos_embed");
  if (tensors.contains("blocks.0.gamma_1")) c.init_values = 1.0;
  c.use_mean_pooling = tensors.contains("fc_norm.weight");
  c.depth = 0;
  while (tensors.contains("blocks." + std::to_string(c.depth) + ".norm1.weight")) ++c.depth;
  return c;
}

}  // namespace mien::core
