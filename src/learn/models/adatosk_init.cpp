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

}  // namespace

Result<core::TensorMap> adatosk_start(core::TensorMap tensors, const core::AdaToskConfig& config) {
  const bool s2d = tensors.contains("patch_embed_prompt.proj.weight");
  core::TensorMap out;
  for (auto& [name, tensor] : tensors) {
    if (s2d && !name.starts_with("patch_embed.")) continue;
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
