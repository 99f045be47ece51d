// An AdaTosk small enough to compute with while one waits.
#pragma once

#include <torch/torch.h>

#include "core/model_config.h"
#include "learn/models/adatosk.h"

namespace mien::learn::adatosk_test {

using torch::Tensor;

// Four slots of four places; blocks 0 and 1 before the gate. With a stem it reads grey.
inline core::AdaToskConfig little_config(bool stem = false) {
  core::AdaToskConfig config;
  config.vit.img_size = 8;
  config.vit.patch_size = 4;
  config.vit.num_frames = 8;
  config.vit.embed_dim = 16;
  config.vit.depth = 4;
  config.vit.num_heads = 2;
  config.vit.num_classes = 5;
  config.gate = 2;
  config.budget = 0.5;
  config.decoder_dim = 12;
  config.decoder_depth = 1;
  config.decoder_heads = 2;
  if (stem) {
    config.vit.in_chans = 1;
    config.stem = {{4, 2}, {6, 2}};
  }
  return config;
}

inline AdaTosk little_net(const core::AdaToskConfig& config, AdaToskTrainOptions options = {}) {
  torch::manual_seed(13);
  options.init_scale = 1.0;  // logits of some size
  AdaTosk net(config, options);
  net->eval();
  return net;
}

inline Tensor noise_clips(std::int64_t clips) {
  torch::manual_seed(19);
  return torch::randn({clips, 3, 8, 8, 8});
}

// The clips with other pixels in cube number `token`.
inline Tensor with_other_pixels(const Tensor& clips, std::int64_t token) {
  const Tensor out = clips.clone();
  const std::int64_t place = token % 4;
  out.narrow(2, token / 4 * 2, 2).narrow(3, place / 2 * 4, 4).narrow(4, place % 2 * 4, 4).add_(1.0);
  return out;
}

}  // namespace mien::learn::adatosk_test
