#include "core/presets.h"

namespace mien::core {
namespace {

// Our small presets see 112x112 pictures. The landmark net sees them at half size, the same ratio
// as the official 224 -> 112, so its map has the 7x7 cells of the patch grid. The stem is a plain
// CNN: a ViT on bare patches does not learn from some 30,000 pictures.
S2DConfig small_preset(int width, int heads) {
  S2DConfig c;
  c.img_size = 112;
  c.patch_size = 16;
  c.embed_dim = width;
  c.num_heads = heads;
  c.hidden_dim = 64;
  c.num_classes = 8;
  c.landmark_size = 56;
  c.stem = {{32, 2}, {64, 2}, {64, 1}, {128, 2}, {128, 1}, {192, 2}, {192, 1}};
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

}  // namespace

std::vector<std::string> preset_names() {
  return {"s2d-base",      "s2d-small",      "s2d-tiny",     "landmark",
          "videomae-base", "videomae-small", "videomae-tiny"};
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
  std::string known;
  for (const std::string& preset : preset_names()) known += (known.empty() ? "" : ", ") + preset;
  return make_error(ErrorCode::kNotFound, "no preset of that name (there are " + known + ")", name);
}

}  // namespace mien::core
