// Which learning-rate factor and weight decay each parameter gets (NOTES.md sections 3 and 8;
// golden layer_decay).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "learn/optim/adamw.h"

namespace mien::learn {

struct DecayRule {
  double weight_decay = 0.05;
  double layer_decay = 1.0;  // 1: every layer learns alike
  int depth = 0;             // number of transformer blocks; used when layer_decay < 1
  std::set<std::string> no_weight_decay;
};

struct ParamSetting {
  double lr_scale = 1.0;
  double weight_decay = 0.0;
  std::optional<int> layer_id;  // only with layer decay
};

// Layer 0: cls_token, mask_token, pos_embed and patch_embed*; i + 1: blocks.i.*; all else depth
// + 1. Scale: layer_decay ^ (depth + 1 - layer). No weight decay for vectors, *.bias and the listed
// names.
ParamSetting setting_of(const std::string& name, std::int64_t dimensions, const DecayRule& rule);

// The official freezing scheme of S2D's second stage: a parameter trains when its name contains one
// of temporal_embedding, temporal_attn, cls_token_t, ln_post, cls_head, Adapter, head, prompt.
bool s2d_video_stage_trains(const std::string& name);

struct ParamGroup {
  double lr_scale = 1.0;
  double weight_decay = 0.0;
  std::vector<std::string> names;
};

// Parameters that require gradients, grouped by equal setting, in the order of first appearance.
// `extra_scale` multiplies a parameter's lr_scale by its name (1 when empty).
std::vector<ParamGroup> make_groups(const torch::nn::Module& module, const DecayRule& rule,
                                    const std::function<double(const std::string&)>& extra_scale);

// AdamW with one LibTorch group per ParamGroup; beta2 as given.
AdamW make_adamw(const torch::nn::Module& module, const std::vector<ParamGroup>& groups,
                 double beta2 = 0.999);

// Sets every group's rate to value * lr_scale.
void set_learning_rate(torch::optim::AdamW& optimizer, const std::vector<ParamGroup>& groups,
                       double value);

}  // namespace mien::learn
