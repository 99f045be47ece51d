// The decoder half of VideoMAE's pre-training model (official: modeling_pretrain.py; NOTES.md
// section 9): from the encoder's answers for the visible tokens to the pixels of the hidden cubes.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/model_config.h"
#include "learn/models/hard_mask.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/modules.h"
#include "learn/models/videomae.h"

namespace mien::learn {

// Blocks, norm and head: [B, N, d] -> the last `tail` tokens' cubes, [B, tail, values].
class VideoMaeDecoderImpl : public torch::nn::Module {
 public:
  explicit VideoMaeDecoderImpl(const core::VideoMaeConfig& sizes);
  // Records decoder.block<i>.out (and .attn, .mlp).
  torch::Tensor forward(const torch::Tensor& x, std::int64_t tail, Taps* taps = nullptr);

 private:
  std::vector<VideoMaeBlock> blocks_;
  LayerNorm norm_{nullptr};
  Linear head_{nullptr};
};
TORCH_MODULE(VideoMaeDecoder);

// All that rebuilds hidden cubes. It is no module itself: its parts are registered with their
// owner, under the official names encoder_to_decoder (no bias), mask_token [1, 1, d] and decoder.*.
class Reconstruction {
 public:
  // `sizes`: the decoder's own width, depth and heads, and the clip's sizes. Fresh weights, as the
  // official code draws them: Xavier for linear layers, the token normal and cut at a deviation.
  Reconstruction(torch::nn::Module& owner, std::int64_t encoder_width,
                 const core::VideoMaeConfig& sizes);

  // `encoded` [B, V, D]: what the encoder says of the visible tokens, in the order of mask.visible
  // -> [B, hidden, tubelet * patch * patch * C] f32, in the order of cube_targets(). Records
  // encoder_to_decoder, decoder.in and what the decoder does.
  torch::Tensor forward(const torch::Tensor& encoded, const HardMask& mask, Taps* taps = nullptr);

 private:
  torch::Tensor positions_;  // [N, d], fixed
  Linear encoder_to_decoder_{nullptr};
  torch::Tensor mask_token_;
  VideoMaeDecoder decoder_{nullptr};
};

// Every linear layer in `module` and below as the official pre-training begins: Xavier uniform
// weights, no bias. Not for use inside the constructor of `module` itself.
void init_xavier(torch::nn::Module& module);

}  // namespace mien::learn
