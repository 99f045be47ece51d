#include "core/s2d_spec.h"

#include <cmath>

#include "core/mobilefacenet_spec.h"

namespace mien::core {
namespace {

void append_linear(TensorTable& table, const std::string& name, int out, int in, bool bias = true) {
  table.push_back({name + ".weight", {out, in}});
  if (bias) table.push_back({name + ".bias", {out}});
}

void append_conv1x1(TensorTable& table, const std::string& name, int out, int in) {
  table.push_back({name + ".weight", {out, in, 1, 1}});
  table.push_back({name + ".bias", {out}});
}

void append_layer_norm(TensorTable& table, const std::string& name, int width) {
  table.push_back({name + ".weight", {width}});
  table.push_back({name + ".bias", {width}});
}

void append_patch_embed(TensorTable& table, const S2DConfig& c) {
  int channels = c.in_chans;
  for (std::size_t i = 0; i < c.stem.size(); ++i) {
    append_conv_block(table,
                      {.name = "patch_embed.stem." + std::to_string(i),
                       .in = channels,
                       .out = c.stem[i].channels,
                       .kernel = 3,
                       .stride = c.stem[i].stride,
                       .padding = 1,
                       .prelu = false},
                      "");
    channels = c.stem[i].channels;
  }
  // With a stem the projection is 1x1; without, it is the patch itself.
  const int kernel = c.stem.empty() ? c.patch_size : 1;
  table.push_back({"patch_embed.proj.weight", {c.embed_dim, channels, kernel, kernel}});
  table.push_back({"patch_embed.proj.bias", {c.embed_dim}});
}

void append_tma(TensorTable& table, const std::string& name, int width, int hidden) {
  append_linear(table, name + ".T_Adapter.D_fc1", hidden, width);
  append_linear(table, name + ".T_Adapter.attn.qkv", 3 * hidden, hidden, false);
  append_linear(table, name + ".T_Adapter.attn.proj", hidden, hidden);
  append_linear(table, name + ".T_Adapter.D_fc2", width, hidden);
  append_layer_norm(table, name + ".norm", width);
  append_linear(table, name + ".S_Adapter.D_fc1", hidden, width);
  append_linear(table, name + ".S_Adapter.D_fc2", width, hidden);
}

void append_prompt_block(TensorTable& table, const S2DConfig& c, int index) {
  const std::string name = "prompt_blocks." + std::to_string(index);
  append_conv1x1(table, name + ".conv0_0", c.hidden_dim, c.embed_dim);
  append_conv1x1(table, name + ".conv0_1", c.hidden_dim, c.embed_dim);
  append_conv1x1(table, name + ".conv1x1", c.embed_dim, c.hidden_dim);
  table.push_back({name + ".fovea.smooth", {1}});
  if (c.temporal) append_tma(table, name + ".TMA", c.embed_dim, c.adapter_dim());
}

void append_block(TensorTable& table, const S2DConfig& c, int index) {
  const std::string name = "blocks." + std::to_string(index);
  append_layer_norm(table, name + ".norm1", c.embed_dim);
  append_linear(table, name + ".attn.qkv", 3 * c.embed_dim, c.embed_dim);
  append_linear(table, name + ".attn.proj", c.embed_dim, c.embed_dim);
  append_layer_norm(table, name + ".norm2", c.embed_dim);
  append_linear(table, name + ".mlp.fc1", c.mlp_dim(), c.embed_dim);
  append_linear(table, name + ".mlp.fc2", c.embed_dim, c.mlp_dim());
}

Result<Shape> shape_of(const TensorViewMap& tensors, const std::string& name, std::size_t rank) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) {
    return make_error(ErrorCode::kBadFormat, "not an S2D state dict: no tensor '" + name + "'");
  }
  if (it->second.shape.size() != rank) {
    return make_error(ErrorCode::kBadFormat,
                      "tensor '" + name + "' has shape " + shape_string(it->second.shape));
  }
  return it->second.shape;
}

int count_numbered(const TensorViewMap& tensors, const std::string& prefix,
                   const std::string& suffix) {
  int count = 0;
  while (tensors.contains(prefix + std::to_string(count) + suffix)) ++count;
  return count;
}

}  // namespace

TensorTable s2d_table(const S2DConfig& c) {
  TensorTable table;
  if (c.with_landmark) table = mobilefacenet_trunk_table(kLandmarkPrefix);
  table.push_back({"cls_token", {1, 1, c.embed_dim}});
  table.push_back({"pos_embed", {1, c.num_patches() + 1, c.embed_dim}});
  if (c.temporal) table.push_back({"temporal_embedding", {1, c.num_frames, c.embed_dim}});
  append_patch_embed(table, c);
  append_conv1x1(table, "patch_embed_prompt.proj", c.embed_dim, c.in_chans_l);
  for (int i = 0; i < prompt_count(c); ++i) append_prompt_block(table, c, i);
  for (int i = 0; i < prompt_count(c); ++i) {
    append_layer_norm(table, "prompt_norms." + std::to_string(i), c.embed_dim);
  }
  for (int i = 0; i < c.depth; ++i) append_block(table, c, i);
  append_layer_norm(table, "ln_post", c.embed_dim);
  append_linear(table, "head.fc_cls", c.num_classes, c.embed_dim);
  return table;
}

bool works_over_time(std::string_view name) {
  return name == "temporal_embedding" || name.find(".TMA.") != std::string_view::npos;
}

Result<S2DConfig> infer_s2d_config(const TensorViewMap& tensors) {
  S2DConfig c;
  MIEN_ASSIGN(const Shape proj, shape_of(tensors, "patch_embed.proj.weight", 4));
  MIEN_ASSIGN(const Shape pos, shape_of(tensors, "pos_embed", 3));
  MIEN_ASSIGN(const Shape prompt, shape_of(tensors, "patch_embed_prompt.proj.weight", 4));
  MIEN_ASSIGN(const Shape hidden, shape_of(tensors, "prompt_blocks.0.conv0_0.weight", 4));
  MIEN_ASSIGN(const Shape head, shape_of(tensors, "head.fc_cls.weight", 2));
  MIEN_ASSIGN(const Shape fc1, shape_of(tensors, "blocks.0.mlp.fc1.weight", 2));
  if (tensors.contains("patch_embed.stem.0.conv.weight")) {
    return make_error(ErrorCode::kUnsupported, "a convolutional stem needs --config");
  }
  c.embed_dim = static_cast<int>(proj[0]);
  c.in_chans = static_cast<int>(proj[1]);
  c.patch_size = static_cast<int>(proj[2]);
  const int grid = static_cast<int>(std::lround(std::sqrt(static_cast<double>(pos[1] - 1))));
  c.img_size = grid * c.patch_size;
  c.landmark_size = grid * 8;
  c.in_chans_l = static_cast<int>(prompt[1]);
  c.hidden_dim = static_cast<int>(hidden[0]);
  c.num_classes = static_cast<int>(head[0]);
  c.depth = count_numbered(tensors, "blocks.", ".norm1.weight");
  c.deep_prompt = count_numbered(tensors, "prompt_blocks.", ".conv0_0.weight") > 1 || c.depth == 1;
  c.num_heads = std::max(1, c.embed_dim / 64);
  if (c.embed_dim > 0) c.mlp_ratio = static_cast<double>(fc1[0]) / c.embed_dim;
  c.temporal = tensors.contains("temporal_embedding");
  c.num_frames = 1;
  if (c.temporal) {
    MIEN_ASSIGN(const Shape frames, shape_of(tensors, "temporal_embedding", 3));
    MIEN_ASSIGN(const Shape down,
                shape_of(tensors, "prompt_blocks.0.TMA.T_Adapter.D_fc1.weight", 2));
    c.num_frames = static_cast<int>(frames[1]);
    c.adapter_scale = static_cast<double>(down[0]) / c.embed_dim;
  }
  c.with_landmark = tensors.contains(std::string(kLandmarkPrefix) + "conv1.conv.weight");
  return c;
}

}  // namespace mien::core
