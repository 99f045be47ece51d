// VideoMAE's pre-training model in LibTorch, parameter names as in the official
// modeling_pretrain.py (NOTES.md section 9): an encoder that sees the visible tokens only, and a
// decoder that rebuilds the rest.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "core/model_config.h"
#include "learn/models/hard_mask.h"
#include "learn/models/mobilefacenet.h"
#include "learn/models/videomae.h"
#include "learn/models/videomae_decoder.h"

namespace mien::learn {

class VideoMaePretrainImpl : public torch::nn::Module {
 public:
  // `encoder`: every size of the model and its clips (num_classes and pooling mean nothing here);
  // `decoder`: the same clips, with the decoder's width, depth and heads.
  VideoMaePretrainImpl(const core::VideoMaeConfig& encoder, const core::VideoMaeConfig& decoder);

  // x [B, in_chans, num_frames, img_size, img_size] normalised; other sizes throw c10::Error. The
  // hidden cubes as Reconstruction gives them. Records encoder.visible_tokens_in,
  // encoder.block<i>.out, encoder.out, and what Reconstruction does.
  torch::Tensor forward(const torch::Tensor& x, const HardMask& mask, Taps* taps = nullptr);

 private:
  core::VideoMaeConfig config_;
  torch::Tensor positions_;  // [N, D], fixed
  torch::nn::Conv3d patch_proj_{nullptr};
  std::vector<VideoMaeBlock> blocks_;
  LayerNorm norm_{nullptr};
  std::optional<Reconstruction> reconstruction_;
};
TORCH_MODULE(VideoMaePretrain);

}  // namespace mien::learn
