#include "learn/models/adatosk_init.h"

#include <torch/torch.h>

#include <string>
#include <utility>

#include "core/adatosk_spec.h"
#include "learn/state.h"

namespace mien::learn {
namespace {

constexpr const char* kFirstConvolution = "patch_embed.stem.0.conv.weight";

core::Tensor reads_tubelets(const core::Tensor& weight, const core::AdaToskConfig& config) {
  torch::Tensor w = to_torch(weight.view()).to(torch::kFloat);
  if (w.dim() != 4) return weight;
  const core::VideoMaeConfig& c = config.vit;
  if (c.in_chans == 1) w = w.sum(1, true);
  return to_core((w / static_cast<double>(c.tubelet_size)).repeat({1, c.tubelet_size, 1, 1}));
}

core::Tensor raised(const core::Tensor& tensor) {
  return to_core(to_torch(tensor.view()).to(torch::kFloat) * kStreamGain);
}

// What adds to the stream of tokens, which is raised.
bool writes_to_stream(const std::string& name) {
  return name.find(".attn.proj.") != std::string::npos ||
         name.find(".mlp.fc2.") != std::string::npos || name.starts_with("patch_embed.proj.");
}

// S2D's block `prefix` under VideoMAE's names. The bias of the keys is left out: it adds the same
// to all scores of a query.
void inherit_block(const core::TensorMap& s2d, const std::string& prefix, core::TensorMap& out) {
  for (auto it = s2d.lower_bound(prefix); it != s2d.end() && it->first.starts_with(prefix); ++it) {
    const auto& [name, tensor] = *it;
    if (name == prefix + "attn.qkv.bias") {
      const torch::Tensor bias = to_torch(tensor.view());
      const std::int64_t width = bias.size(0) / 3;
      out[prefix + "attn.q_bias"] = to_core(bias.narrow(0, 0, width).contiguous());
      out[prefix + "attn.v_bias"] = to_core(bias.narrow(0, 2 * width, width).contiguous());
    } else {
      out[name] = writes_to_stream(name) ? raised(tensor) : tensor;
    }
  }
}

// All of this model's blocks are in `s2d`, and their matrices have its sizes.
bool has_blocks(const core::TensorMap& s2d, const core::VideoMaeConfig& c) {
  const std::int64_t width = c.embed_dim;
  for (int i = 0; i < c.depth; ++i) {
    const std::string prefix = "blocks." + std::to_string(i) + ".";
    const auto has = [&](const char* name, const std::vector<std::int64_t>& shape) {
      const auto it = s2d.find(prefix + name);
      return it != s2d.end() && it->second.shape == shape;
    };
    if (!has("attn.qkv.weight", {3 * width, width}) || !has("attn.qkv.bias", {3 * width}) ||
        !has("mlp.fc1.weight", {c.mlp_dim(), width})) {
      return false;
    }
  }
  return true;
}

Result<core::TensorMap> from_s2d(const core::TensorMap& s2d, const core::AdaToskConfig& config) {
  core::TensorMap out;
  const bool blocks = has_blocks(s2d, config.vit);
  for (const auto& [name, tensor] : s2d) {
    if (!name.starts_with("patch_embed.")) continue;
    if (name == kFirstConvolution) {
      out[name] = reads_tubelets(tensor, config);
    } else {
      out[name] = blocks && writes_to_stream(name) ? raised(tensor) : tensor;
    }
  }
  // Half a stem would be worth less than none.
  for (const core::TensorSpec& spec : core::adatosk_table(config)) {
    if (!spec.name.starts_with("patch_embed.stem.")) continue;
    const auto it = out.find(spec.name);
    if (it == out.end() || it->second.shape != spec.shape) {
      return make_error(ErrorCode::kBadFormat, "has another stem than this model");
    }
  }
  for (int i = 0; blocks && i < config.vit.depth; ++i) {
    inherit_block(s2d, "blocks." + std::to_string(i) + ".", out);
  }
  return out;
}

}  // namespace

Result<core::TensorMap> adatosk_start(core::TensorMap tensors, const core::AdaToskConfig& config) {
  if (tensors.contains("patch_embed_prompt.proj.weight")) return from_s2d(tensors, config);
  const std::string encoder = "encoder.";
  core::TensorMap out;
  for (auto& [name, tensor] : tensors) {
    out[name.starts_with(encoder) ? name.substr(encoder.size()) : name] = std::move(tensor);
  }
  return out;
}

}  // namespace mien::learn
