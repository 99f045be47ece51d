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

}  // namespace

std::vector<std::string> preset_names() {
  return {"s2d-base", "s2d-small", "s2d-tiny", "landmark"};
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
  std::string known;
  for (const std::string& preset : preset_names()) known += (known.empty() ? "" : ", ") + preset;
  return make_error(ErrorCode::kNotFound, "no preset of that name (there are " + known + ")", name);
}

}  // namespace mien::core
