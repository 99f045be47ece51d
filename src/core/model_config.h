// What a model is: architecture, every size, class names, input normalisation, provenance. This is
// the content of `mien.config` in a model file, and what `--config C.json` reads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/quantization.h"
#include "mien/result.hpp"

namespace mien::core {

enum class Arch { kMobileFaceNet, kS2D, kVideoMae, kAdaTosk };

const char* arch_name(Arch arch);  // "mobilefacenet", "s2d", "videomae", "adatosk"

// How u8 RGB pixels become network input: optionally grey (ITU-R 601 luma in all three channels),
// then (pixel / 255 - mean) / std per channel.
struct InputNorm {
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};  // ImageNet, as the official code
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};
  bool gray = false;
};

// MobileFaceNet, the landmark network of S2D (NOTES.md section 2). Its widths are fixed by the
// official code.
struct MobileFaceNetConfig {
  int input_size = 112;      // pixels, square; the 7x7 depthwise output layer needs 112
  int embedding_size = 136;  // 68 points as x0,y0,x1,y1,...
};

// One 3x3 convolution (padding 1, no bias) + BatchNorm + ReLU of a convolutional stem.
struct StemLayer {
  int channels = 0;
  int stride = 1;
  bool operator==(const StemLayer&) const = default;
};

// S2D (NOTES.md section 1). Defaults are the paper's ViT-B. Keys and meanings are the constructor
// arguments of the official VisionTransformer, plus what our own small presets add.
struct S2DConfig {
  int img_size = 224;
  int patch_size = 16;
  int in_chans = 3;
  int in_chans_l = 128;  // channels of the landmark map
  int embed_dim = 768;   // D
  int depth = 12;
  int num_heads = 12;
  double mlp_ratio = 4.0;
  int hidden_dim = 8;  // width of the spatial prompt
  double adapter_scale = 0.25;
  int num_frames = 16;  // T
  int num_classes = 7;
  bool deep_prompt = true;  // prompt_type "deep" (before every block) or "shallow" (the first only)
  bool temporal = true;     // TMA and temporal embedding: the video model. false: the image model
  // Ours, of a video model: only what works over time was trained, so that without it the network
  // still is the image model that training began with. Stills are read by that.
  bool keeps_image_model = false;
  double head_dropout_ratio = 0.5;

  // Ours. The landmark net sees the frames resized to this (official: 224 -> 112), and its conv_4
  // map (landmark_size / 8 cells a side) must be the patch grid.
  int landmark_size = 112;
  bool with_landmark = false;   // the file holds the landmark trunk too, as landmark.*
  std::vector<StemLayer> stem;  // empty: the paper's patch embedding

  int grid() const { return img_size / patch_size; }
  int num_patches() const { return grid() * grid(); }
  int mlp_dim() const { return static_cast<int>(embed_dim * mlp_ratio); }
  int adapter_dim() const { return static_cast<int>(embed_dim * adapter_scale); }
  int head_dim() const { return embed_dim / num_heads; }
};

// TMA's attention always has 8 heads in the official code, whatever the width.
inline constexpr int kTmaHeads = 8;

// VideoMAE's fine-tuned ViT (official: modeling_finetune.py; NOTES.md section 9), the plain video
// transformer: every token attends to every other of the clip. Keys and meanings are the
// constructor arguments of the official VisionTransformer, except num_frames (theirs: all_frames).
struct VideoMaeConfig {
  int img_size = 160;
  int patch_size = 16;
  int tubelet_size = 2;  // frames that one token spans
  int num_frames = 16;   // T
  int in_chans = 3;
  int embed_dim = 768;  // D
  int depth = 12;
  int num_heads = 12;
  double mlp_ratio = 4.0;
  bool qkv_bias = true;  // attn.q_bias and attn.v_bias; the keys never have one
  int num_classes = 7;

  // The official code has other settings of these three; validate() refuses them (kUnsupported).
  bool use_mean_pooling = true;
  double init_values = 0.0;  // layer scale
  bool use_learnable_pos_emb = false;

  int grid() const { return img_size / patch_size; }
  int slots() const { return num_frames / tubelet_size; }
  int tokens() const { return slots() * grid() * grid(); }  // in the order (slot, row, column)
  int mlp_dim() const { return static_cast<int>(embed_dim * mlp_ratio); }
  int head_dim() const { return embed_dim / num_heads; }
};

// AdaTosk (arXiv 2502.21004; no code is public): VideoMAE's ViT with a soft mask over its tokens,
// by which the blocks past the gate compute only those that count. The mask is in adatosk_spec.h.
struct AdaToskConfig {
  // Every size of the transformer. in_chans is the number of planes per frame: 3, or for a grey
  // model (InputNorm::gray) 1, the luma, normalised by the first mean and std.
  VideoMaeConfig vit;

  // Ours, for the small presets: convolutions instead of the linear embedding of the cubes. The
  // frames of a tubelet are stacked as channels (frame by frame, in each its planes), the stem runs
  // once per slot, and patch_embed.proj is a 1x1 convolution. Its strides multiply to patch_size.
  std::vector<StemLayer> stem;

  // Ours, for the small presets: up to the gate every slot is computed by itself, with the
  // positions of its places; those of the slots are added behind the mask. A token then tells of
  // its own slot only, and a slot that several windows share is computed once.
  bool slotwise = false;
  int gate = 3;          // blocks 0..gate-1 compute all tokens; then comes the mask. 1..depth-1
  double budget = 0.4;   // default share of the tokens that go on past the gate, (0, 1]
  bool agnostic = true;  // the two factors of the mask; without both it is 1 everywhere
  bool semantic = true;
  // Ours: hidden units of a network by which the agnostic factor also follows what a token shows,
  // not its change alone. 0: no network.
  int agnostic_hidden = 0;
  // The class of a face at rest ("neutral"), an index; the semantic factor looks for the others.
  // -1: none.
  int background = -1;

  // The decoder of the reconstruction. It is for training only and in no model file.
  int decoder_dim = 384;
  int decoder_depth = 4;
  int decoder_heads = 6;

  bool masks() const { return agnostic || semantic; }
  int stem_channels() const { return vit.tubelet_size * vit.in_chans; }  // that the stem reads
  // The decoder's blocks as those of a ViT over the tokens of the clip.
  VideoMaeConfig decoder() const {
    VideoMaeConfig c = vit;
    c.embed_dim = decoder_dim;
    c.depth = decoder_depth;
    c.num_heads = decoder_heads;
    return c;
  }
};

struct ModelConfig {
  Arch arch = Arch::kS2D;
  MobileFaceNetConfig mobilefacenet;  // used when arch is kMobileFaceNet
  S2DConfig s2d;                      // used when arch is kS2D
  VideoMaeConfig videomae;            // used when arch is kVideoMae
  AdaToskConfig adatosk;              // used when arch is kAdaTosk
  InputNorm input;
  std::vector<std::string> classes;  // names in the order of the logits; empty when unknown
  // Where the face must lie in the crop: the five points (left eye, right eye, nose tip, left and
  // right mouth corner; left as seen in the picture) as fractions of the crop, x0,y0,...; empty:
  // unknown.
  std::vector<float> face_template;
  std::string provenance_json;  // free JSON object about data and training; empty: none
  std::optional<Quantization> quantization;  // of these very weights; unset: never calibrated

  // Side of the square pictures it takes, in pixels.
  int input_size() const {
    switch (arch) {
      case Arch::kMobileFaceNet: return mobilefacenet.input_size;
      case Arch::kS2D: return s2d.img_size;
      case Arch::kVideoMae: return videomae.img_size;
      case Arch::kAdaTosk: return adatosk.vit.img_size;
    }
    return 0;
  }
  // Length of the logits; 0 for MobileFaceNet, which has none.
  int num_classes() const {
    switch (arch) {
      case Arch::kMobileFaceNet: return 0;
      case Arch::kS2D: return s2d.num_classes;
      case Arch::kVideoMae: return videomae.num_classes;
      case Arch::kAdaTosk: return adatosk.vit.num_classes;
    }
    return 0;
  }
  // Transformer blocks, for layer-wise decay; 0 for MobileFaceNet.
  int depth() const {
    switch (arch) {
      case Arch::kMobileFaceNet: return 0;
      case Arch::kS2D: return s2d.depth;
      case Arch::kVideoMae: return videomae.depth;
      case Arch::kAdaTosk: return adatosk.vit.depth;
    }
    return 0;
  }
  // Frames of one clip; 1 for a model of still pictures.
  int input_frames() const {
    switch (arch) {
      case Arch::kMobileFaceNet: return 1;
      case Arch::kS2D: return s2d.temporal ? s2d.num_frames : 1;
      case Arch::kVideoMae: return videomae.num_frames;
      case Arch::kAdaTosk: return adatosk.vit.num_frames;
    }
    return 1;
  }
};

// Reads `text`: our own `mien.config`, or a file in the style of reference/golden/*/config.json
// ("model" + "constructor"). Unknown keys are ignored; every number is range-checked.
Result<ModelConfig> parse_model_config(const std::string& text);

// The JSON that parse_model_config reads back to an equal config.
std::string to_json(const ModelConfig& config);

// Error when sizes contradict each other or exceed sane limits (they bound what a file can make us
// allocate): heads must divide the width, the stem's strides must multiply to patch_size, ...
Status validate(const ModelConfig& config);

}  // namespace mien::core
