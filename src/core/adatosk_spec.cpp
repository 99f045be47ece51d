#include "core/adatosk_spec.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/videomae_spec.h"

namespace mien::core {
namespace {

// The embedding of a model with a stem.
void append_stem(TensorTable& table, const AdaToskConfig& c) {
  for (const ConvBlockSpec& block : adatosk_stem(c)) append_conv_block(table, block, "");
  table.push_back({"patch_embed.proj.weight", {c.vit.embed_dim, c.stem.back().channels, 1, 1}});
  table.push_back({"patch_embed.proj.bias", {c.vit.embed_dim}});
}

void append_mask(TensorTable& table, const AdaToskConfig& c) {
  const std::int64_t width = c.vit.embed_dim;
  table.push_back({"mask.norm.weight", {width}});
  table.push_back({"mask.norm.bias", {width}});
  table.push_back({"mask.slot_mean", {c.vit.slots(), width}, true});
  if (c.agnostic) {
    for (const char* part : {"scale", "offset", "repeat"}) {
      table.push_back({std::string("mask.agnostic.") + part, {1}});
    }
    if (c.agnostic_hidden > 0) {
      table.push_back({"mask.agnostic.hidden.weight", {c.agnostic_hidden, width}});
      table.push_back({"mask.agnostic.hidden.bias", {c.agnostic_hidden}});
      table.push_back({"mask.agnostic.readout", {c.agnostic_hidden}});
    }
  }
  if (c.semantic) {
    for (const char* part : {"scale", "offset", "repeat", "sharpness"}) {
      table.push_back({std::string("mask.semantic.") + part, {1}});
    }
  }
  table.push_back({"aux_head.weight", {c.vit.num_classes, width}});
  table.push_back({"aux_head.bias", {c.vit.num_classes}});
}

}  // namespace

TensorTable adatosk_table(const AdaToskConfig& c) {
  TensorTable table;
  if (!c.stem.empty()) append_stem(table, c);
  const std::string behind_gate = "blocks." + std::to_string(c.gate) + ".";
  bool mask_due = c.masks();
  for (TensorSpec& spec : videomae_table(c.vit)) {
    if (!c.stem.empty() && spec.name.starts_with("patch_embed.")) continue;
    if (mask_due && spec.name.starts_with(behind_gate)) {
      append_mask(table, c);
      mask_due = false;
    }
    table.push_back(std::move(spec));
  }
  return table;
}

std::vector<ConvBlockSpec> adatosk_stem(const AdaToskConfig& c) {
  std::vector<ConvBlockSpec> blocks;
  int channels = c.stem_channels();
  for (const StemLayer& layer : c.stem) {
    blocks.push_back({.name = "patch_embed.stem." + std::to_string(blocks.size()),
                      .in = channels,
                      .out = layer.channels,
                      .kernel = 3,
                      .stride = layer.stride,
                      .padding = 1,
                      .prelu = false});
    channels = layer.channels;
  }
  return blocks;
}

std::vector<float> adatosk_positions(const AdaToskConfig& c) {
  if (!c.slotwise) return sincos_positions(c.vit.tokens(), c.vit.embed_dim);
  const std::vector<float> slot = sincos_positions(c.vit.tokens() / c.vit.slots(), c.vit.embed_dim);
  std::vector<float> all;
  for (int s = 0; s < c.vit.slots(); ++s) all.insert(all.end(), slot.begin(), slot.end());
  return all;
}

std::vector<float> adatosk_slot_positions(const AdaToskConfig& c) {
  if (!c.slotwise) return {};
  return sincos_positions(c.vit.slots(), c.vit.embed_dim);
}

std::int64_t kept_tokens(double budget, std::int64_t tokens) {
  // 0.6 as a float exceeds it by 2.4e-8, which of 65536 tokens makes 1.6e-3.
  constexpr double kRounding = 1e-2;
  const double exact = budget * static_cast<double>(tokens);
  if (!(exact > 1.0)) return std::min<std::int64_t>(tokens, 1);
  if (exact >= static_cast<double>(tokens)) return tokens;
  return std::min(tokens, static_cast<std::int64_t>(std::ceil(exact - kRounding)));
}

void keep_largest(std::span<const float> log_mask, std::size_t count,
                  std::span<std::int32_t> order) {
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const float x = log_mask[static_cast<std::size_t>(a)];
    const float y = log_mask[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  if (count < order.size()) std::nth_element(order.begin(), end, order.end(), before);
  std::sort(order.begin(), end);
}

}  // namespace mien::core
