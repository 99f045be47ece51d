// A small soft mask and clips of tokens for it.
#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "core/model_config.h"
#include "learn/models/soft_mask.h"

namespace mien::learn::soft_mask_test {

using torch::Tensor;

inline constexpr std::int64_t kSlots = 8;
inline constexpr std::int64_t kPlaces = 4;
inline constexpr std::int64_t kWidth = 32;
inline constexpr std::int64_t kClasses = 5;

inline core::AdaToskConfig config_of(bool agnostic, bool semantic) {
  core::AdaToskConfig config;
  config.vit.img_size = 8;
  config.vit.patch_size = 4;
  config.vit.num_frames = 16;
  config.vit.embed_dim = static_cast<int>(kWidth);
  config.vit.num_heads = 4;
  config.vit.num_classes = static_cast<int>(kClasses);
  config.agnostic = agnostic;
  config.semantic = semantic;
  return config;
}

struct Case {
  SoftMask mask{nullptr};
  Linear aux{nullptr};

  SoftMaskImpl::Output operator()(const Tensor& tokens, const Tensor& there = {}) {
    return mask->forward(tokens, there, aux);
  }
};

// Its hidden units say what those of a mask do that has learnt nothing yet: nothing.
inline Case make_case(bool agnostic, bool semantic, int background = -1) {
  torch::manual_seed(7);
  core::AdaToskConfig config = config_of(agnostic, semantic);
  config.background = background;
  config.agnostic_hidden = 6;
  Case c{SoftMask(config), Linear(kWidth, kClasses)};
  c.mask->eval();
  return c;
}

inline void set(SoftMask& mask, const std::string& name, double value) {
  const torch::NoGradGuard no_grad;
  auto parameters = mask->named_parameters();
  parameters[name].fill_(value);
}

// Tokens that share a picture, so that neighbours resemble each other, and some of their own.
inline Tensor lively_clips(std::int64_t clips) {
  torch::manual_seed(23);
  return torch::randn({clips, 1, kPlaces, kWidth})
      .add(torch::randn({clips, kSlots, kPlaces, kWidth}) * 0.7)
      .flatten(1, 2);
}

// All there; some hidden; places of their own in every slot; whole slots gone, the first as well.
inline std::vector<Tensor> validities() {
  torch::manual_seed(29);
  std::vector<Tensor> out = {torch::ones({1, kSlots * kPlaces}, torch::kBool),
                             torch::rand({1, kSlots * kPlaces}).lt(0.5)};
  Tensor gaps = torch::ones({1, kSlots, kPlaces}, torch::kBool);
  for (const std::int64_t slot : {0, 3, 4, 7}) gaps[0][slot].fill_(false);
  gaps[0][5][2].fill_(false);
  out.push_back(gaps.flatten(1, 2));
  return out;
}

}  // namespace mien::learn::soft_mask_test
