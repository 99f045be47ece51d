// S2D written a second time: in double, slowly, straight from NOTES.md section 1 and with nothing
// of the engine in it.
#pragma once

#include <vector>

#include "core/model_config.h"
#include "core/tensor.h"

namespace mien::test {

// A picture or map, channel by channel.
struct Planes {
  int channels = 0;
  int side = 0;
  std::vector<double> values;  // [channels, side, side]

  double& at(int c, int y, int x) { return values[index(c, y, x)]; }
  double at(int c, int y, int x) const { return values[index(c, y, x)]; }

 private:
  std::size_t index(int c, int y, int x) const {
    return static_cast<std::size_t>((c * side + y) * side + x);
  }
};

// u8 RGB [frames, side, side, 3] normalised as the config says.
std::vector<Planes> reference_pictures(const core::ModelConfig& config,
                                       const std::vector<std::uint8_t>& rgb, int frames);

// MobileFaceNet's conv_4 of a normalised picture; tensors under `prefix`.
Planes reference_trunk(const core::TensorMap& tensors, const std::string& prefix,
                       const Planes& picture);

// A convolutional stem, patch_embed.stem.0 and on, of a picture.
Planes reference_stem(const std::vector<core::StemLayer>& stem, const core::TensorMap& tensors,
                      const Planes& picture);

// Bilinear, align_corners = True.
Planes reference_resize(const Planes& picture, int side);

// Logits of one clip. `maps`: landmark features per frame.
std::vector<double> reference_logits(const core::S2DConfig& config, const core::TensorMap& tensors,
                                     const std::vector<Planes>& pictures,
                                     const std::vector<Planes>& maps);

}  // namespace mien::test
