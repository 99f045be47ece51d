#include "learn/optim/param_groups.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mien::learn {
namespace {

int layer_of(const std::string& name, int depth) {
  if (name == "cls_token" || name == "mask_token" || name == "pos_embed") return 0;
  if (name.starts_with("patch_embed")) return 0;
  if (name.starts_with("blocks.")) return std::atoi(name.c_str() + 7) + 1;
  return depth + 1;
}

}  // namespace

ParamSetting setting_of(const std::string& name, std::int64_t dimensions, const DecayRule& rule) {
  ParamSetting setting;
  const bool undecayed =
      dimensions == 1 || name.ends_with(".bias") || rule.no_weight_decay.contains(name);
  setting.weight_decay = undecayed ? 0.0 : rule.weight_decay;
  if (rule.layer_decay < 1.0) {
    setting.layer_id = layer_of(name, rule.depth);
    setting.lr_scale = std::pow(rule.layer_decay, rule.depth + 1 - *setting.layer_id);
  }
  return setting;
}

bool s2d_video_stage_trains(const std::string& name) {
  static constexpr std::array<const char*, 8> kTrained = {
      "temporal_embedding", "temporal_attn", "cls_token_t", "ln_post",
      "cls_head",           "Adapter",       "head",        "prompt"};
  return std::any_of(kTrained.begin(), kTrained.end(),
                     [&](const char* part) { return name.find(part) != std::string::npos; });
}

std::vector<ParamGroup> make_groups(const torch::nn::Module& module, const DecayRule& rule,
                                    const std::function<double(const std::string&)>& extra_scale) {
  std::vector<ParamGroup> groups;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const ParamSetting setting = setting_of(item.key(), item.value().dim(), rule);
    const double scale = setting.lr_scale * (extra_scale ? extra_scale(item.key()) : 1.0);
    auto it = std::find_if(groups.begin(), groups.end(), [&](const ParamGroup& group) {
      return group.lr_scale == scale && group.weight_decay == setting.weight_decay;
    });
    if (it == groups.end()) {
      groups.push_back({scale, setting.weight_decay, {}});
      it = groups.end() - 1;
    }
    it->names.push_back(item.key());
  }
  return groups;
}

AdamW make_adamw(const torch::nn::Module& module, const std::vector<ParamGroup>& groups,
                 double beta2) {
  const auto parameters = module.named_parameters();
  std::vector<torch::optim::OptimizerParamGroup> lists;
  for (const ParamGroup& group : groups) {
    std::vector<torch::Tensor> tensors;
    for (const std::string& name : group.names) tensors.push_back(parameters[name]);
    auto options = std::make_unique<torch::optim::AdamWOptions>(0.0);
    options->weight_decay(group.weight_decay).betas({0.9, beta2}).eps(1e-8);
    lists.emplace_back(std::move(tensors), std::move(options));
  }
  return AdamW(std::move(lists), torch::optim::AdamWOptions(0.0));
}

void set_learning_rate(torch::optim::AdamW& optimizer, const std::vector<ParamGroup>& groups,
                       double value) {
  auto& lists = optimizer.param_groups();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    lists[i].options().set_lr(value * groups[i].lr_scale);
  }
}

}  // namespace mien::learn
