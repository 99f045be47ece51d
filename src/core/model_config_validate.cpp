#include <cmath>

#include "core/model_config.h"

namespace mien::core {
namespace {

Error bad(const std::string& what) {
  return make_error(ErrorCode::kBadFormat, what, "config");
}

Error unsupported(const std::string& what) {
  return make_error(ErrorCode::kUnsupported, what, "config");
}

Status validate_mobilefacenet(const MobileFaceNetConfig& c) {
  if (c.input_size != 112) return unsupported("MobileFaceNet's output layer needs input_size 112");
  return {};
}

Status check_stem(const std::vector<StemLayer>& stem, int patch_size) {
  if (stem.empty()) return {};
  std::int64_t stride = 1;
  for (const StemLayer& layer : stem) stride *= layer.stride;
  if (stride != patch_size) return bad("the strides of the stem do not multiply to patch_size");
  return {};
}

Status validate_s2d(const S2DConfig& c) {
  if (c.img_size % c.patch_size != 0) return bad("img_size is not a multiple of patch_size");
  if (c.embed_dim % c.num_heads != 0) return bad("embed_dim is not a multiple of num_heads");
  if (c.grid() > 64) return bad("more than 64 patches a side");
  if (c.landmark_size % 8 != 0 || c.landmark_size / 8 != c.grid()) {
    return bad("landmark_size " + std::to_string(c.landmark_size) +
               " gives a landmark map of another grid than " + std::to_string(c.grid()) + "x" +
               std::to_string(c.grid()));
  }
  if (c.mlp_dim() < 1) return bad("mlp_ratio is too small");
  if (c.temporal && (c.adapter_dim() < kTmaHeads || c.adapter_dim() % kTmaHeads != 0)) {
    return bad("embed_dim * adapter_scale is not a multiple of 8 (the heads of TMA)");
  }
  if (c.keeps_image_model && !c.temporal) return bad("keeps_image_model is of video models");
  return check_stem(c.stem, c.patch_size);
}

Status validate_videomae(const VideoMaeConfig& c) {
  // All tokens of a clip attend to each other: this bounds the attention matrix as well.
  constexpr int kMaxTokens = 65536;
  if (c.patch_size < 1 || c.tubelet_size < 1 || c.num_heads < 1) return bad("a size is below 1");
  if (c.img_size < 1 || c.img_size % c.patch_size != 0) {
    return bad("img_size is not a multiple of patch_size");
  }
  if (c.num_frames < 1 || c.num_frames % c.tubelet_size != 0) {
    return bad("the number of frames is not a multiple of tubelet_size");
  }
  if (c.embed_dim < 1 || c.embed_dim % c.num_heads != 0) {
    return bad("embed_dim is not a multiple of num_heads");
  }
  if (c.grid() > 64) return bad("more than 64 patches a side");
  if (c.slots() > kMaxTokens / (c.grid() * c.grid())) return bad("more than 65536 tokens");
  if (c.mlp_dim() < 1) return bad("mlp_ratio is too small");
  if (!c.use_mean_pooling) return unsupported("use_mean_pooling false is not supported");
  if (c.init_values > 0.0) return unsupported("layer scale (init_values > 0) is not supported");
  if (c.use_learnable_pos_emb) {
    return unsupported("a learnable position table (use_learnable_pos_emb) is not supported");
  }
  return {};
}

Status validate_adatosk(const AdaToskConfig& c, const InputNorm& input) {
  MIEN_TRY(validate_videomae(c.vit));
  MIEN_TRY(check_stem(c.stem, c.vit.patch_size));
  if (c.vit.in_chans != 1 && c.vit.in_chans != 3) return bad("in_chans is neither 1 nor 3");
  if (c.vit.in_chans == 1 && !input.gray) return bad("in_chans 1 is for models that see grey");
  if (c.gate < 1 || c.gate >= c.vit.depth) return bad("gate is not in 1..depth-1");
  if (!(c.budget > 0.0 && c.budget <= 1.0)) return bad("budget is not in (0, 1]");
  if (c.background < -1 || c.background >= c.vit.num_classes) {
    return bad("background is not a class (-1: none)");
  }
  if (c.background >= 0 && c.vit.num_classes < 2) {
    return bad("background is the only class there is");
  }
  if (c.decoder_heads < 1 || c.decoder_dim < 1 || c.decoder_dim % c.decoder_heads != 0) {
    return bad("decoder_dim is not a multiple of decoder_heads");
  }
  if (c.decoder_depth < 1) return bad("decoder_depth is below 1");
  return {};
}

Status validate_sizes(const ModelConfig& config) {
  switch (config.arch) {
    case Arch::kMobileFaceNet: return validate_mobilefacenet(config.mobilefacenet);
    case Arch::kS2D: return validate_s2d(config.s2d);
    case Arch::kVideoMae: return validate_videomae(config.videomae);
    case Arch::kAdaTosk: return validate_adatosk(config.adatosk, config.input);
  }
  return unsupported("of an unknown architecture");
}

}  // namespace

Status validate(const ModelConfig& config) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (!std::isfinite(config.input.mean[i]) || !(config.input.std[i] > 1e-6F)) {
      return bad("the input mean or std is not usable");
    }
  }
  if (!config.face_template.empty() && config.face_template.size() != 10) {
    return bad("'face_template' must have 10 numbers");
  }
  MIEN_TRY(validate_sizes(config));
  const int classes = config.num_classes();
  const bool named = config.arch != Arch::kMobileFaceNet && !config.classes.empty();
  if (named && static_cast<int>(config.classes.size()) != classes) {
    return bad("the number of class names is not num_classes");
  }
  return validate_quantization(config);
}

}  // namespace mien::core
