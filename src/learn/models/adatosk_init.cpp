#include "learn/models/adatosk_init.h"

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <string_view>
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

// Tensors of a transformer block that S2D and AdaTosk have in common: attention, MLP, their norms.
// Its prompts and its adapters over time are S2D's own.
bool of_common_block(const std::string& name) {
  if (!name.starts_with("blocks.")) return false;
  const std::size_t part = name.find('.', std::string("blocks.").size());
  if (part == std::string::npos) return false;
  const std::string behind = name.substr(part + 1);
  for (const char* common : {"norm1.", "norm2.", "attn.", "mlp."}) {
    if (behind.starts_with(common)) return true;
  }
  return false;
}

// S2D has one bias for q, k and v, VideoMAE's blocks one for q and one for v: a bias on the keys
// adds the same to all that a query compares, and softmax does not see it.
void split_bias(const core::Tensor& bias, const std::string& attention, core::TensorMap& out) {
  const torch::Tensor b = to_torch(bias.view()).to(torch::kFloat);
  if (b.dim() != 1 || b.size(0) % 3 != 0) return;
  const std::int64_t width = b.size(0) / 3;
  out[attention + "q_bias"] = to_core(b.narrow(0, 0, width).contiguous());
  out[attention + "v_bias"] = to_core(b.narrow(0, 2 * width, width).contiguous());
}

}  // namespace

Result<core::TensorMap> adatosk_start(core::TensorMap tensors, const core::AdaToskConfig& config) {
  const bool s2d = tensors.contains("patch_embed_prompt.proj.weight");
  core::TensorMap out;
  for (auto& [name, tensor] : tensors) {
    if (s2d && !name.starts_with("patch_embed.") && !of_common_block(name)) continue;
    constexpr std::string_view kBias = "qkv.bias";
    if (s2d && name.ends_with(kBias)) {
      split_bias(tensor, name.substr(0, name.size() - kBias.size()), out);
      continue;
    }
    const std::string encoder = "encoder.";
    const std::string own = name.starts_with(encoder) ? name.substr(encoder.size()) : name;
    const bool stacked = s2d && own == kFirstConvolution;
    out[own] = stacked ? reads_tubelets(tensor, config) : std::move(tensor);
  }
  // Half a stem would be worth less than none.
  for (const core::TensorSpec& spec : core::adatosk_table(config)) {
    if (!s2d || !spec.name.starts_with("patch_embed.stem.")) continue;
    const auto it = out.find(spec.name);
    if (it == out.end() || it->second.shape != spec.shape) {
      return make_error(ErrorCode::kBadFormat, "has another stem than this model");
    }
  }
  return out;
}

}  // namespace mien::learn
