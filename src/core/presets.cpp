#include "core/presets.h"

namespace mien::core {
namespace {

// A plain CNN of 112x112 pictures down to 7x7 cells: a ViT on bare patches does not learn from some
// 30,000 pictures.
std::vector<StemLayer> small_stem() {
  return {{48, 2}, {48, 1}, {96, 2}, {96, 1}, {192, 2}, {192, 1}, {256, 2}, {192, 1}};
}

// Our small presets see 112x112 pictures. The landmark net sees them at half size, the same ratio
// as the official 224 -> 112, so its map has the 7x7 cells of the patch grid.
S2DConfig small_preset(int width, int heads) {
  S2DConfig c;
  c.img_size = 112;
  c.patch_size = 16;
  c.embed_dim = width;
  c.num_heads = heads;
  c.hidden_dim = 64;
  c.num_classes = 8;
  c.landmark_size = 56;
  c.stem = small_stem();
  return c;
}

ModelConfig videomae_preset(int width, int heads, int size) {
  ModelConfig config;
  config.arch = Arch::kVideoMae;
  config.videomae.embed_dim = width;
  config.videomae.num_heads = heads;
  config.videomae.img_size = size;
  return config;
}

// Ten blocks, of which seven see the kept tokens only: with the default budget less than half of
// what videomae-base computes.
ModelConfig adatosk_base() {
  ModelConfig config;
  config.arch = Arch::kAdaTosk;
  config.adatosk.vit.depth = 10;
  config.adatosk.agnostic_hidden = 64;
  return config;
}

// Small pictures in grey.
ModelConfig small_adatosk(int width, int heads) {
  ModelConfig config = adatosk_base();
  config.input.gray = true;
  config.input.mean.fill(config.input.mean[0]);
  config.input.std.fill(config.input.std[0]);
  AdaToskConfig& c = config.adatosk;
  c.vit.img_size = 112;
  c.vit.in_chans = 1;
  c.vit.embed_dim = width;
  c.vit.num_heads = heads;
  c.vit.num_classes = 8;
  c.stem = small_stem();
  c.slotwise = true;
  // Half the width of the encoder, as the official decoders; heads of 32, as theirs of 64.
  c.decoder_dim = width / 2;
  c.decoder_depth = 2;
  c.decoder_heads = heads;
  return config;
}

}  // namespace

std::vector<std::string> preset_names() {
  return {"s2d-base",       "s2d-small",     "s2d-tiny",     "landmark",      "videomae-base",
          "videomae-small", "videomae-tiny", "adatosk-base", "adatosk-small", "adatosk-tiny"};
}

Result<ModelConfig> find_preset(const std::string& name) {
  ModelConfig config;
  if (name == "s2d-base") return config;
  if (name == "s2d-small") {
    config.s2d = small_preset(384, 6);
    return config;
  }
  if (name == "s2d-tiny") {
    config.s2d = small_preset(192, 3);
    return config;
  }
  if (name == "landmark") {
    config.arch = Arch::kMobileFaceNet;
    return config;
  }
  if (name == "videomae-base") return videomae_preset(768, 12, 160);
  if (name == "videomae-small") return videomae_preset(384, 6, 160);
  if (name == "videomae-tiny") return videomae_preset(192, 3, 112);
  if (name == "adatosk-base") return adatosk_base();
  if (name == "adatosk-small") return small_adatosk(384, 6);
  if (name == "adatosk-tiny") return small_adatosk(192, 3);
  std::string known;
  for (const std::string& preset : preset_names()) known += (known.empty() ? "" : ", ") + preset;
  return make_error(ErrorCode::kNotFound, "no preset of that name (there are " + known + ")", name);
}

}  // namespace mien::core
