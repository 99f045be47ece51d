// Draws the frames of a composed clip. Inside this folder only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/moment_script.h"
#include "media/moment_warp.h"

namespace mien::media {

// A face that is seen in a frame, and how much of it. The weights of a frame add up to 1.
struct SeenFace {
  std::size_t still = 0;
  double weight = 0;
};

// Holds one frame's scratch memory; one per thread. The stills and maps must outlive it.
class MomentRenderer {
 public:
  MomentRenderer(const MomentStills& stills, const std::vector<FaceMap>& maps, int size);

  // Frame `frame` of `script` into [size, size] grey levels. The faces are warped onto their
  // weighted mean shape, brought to the contrast of faces[0], cross-faded, seen by the camera, lit,
  // hidden where the script says so, and given the noise of `noise_seed`.
  void draw(const MomentScript& script, int frame, std::span<const SeenFace> faces,
            std::uint64_t noise_seed, std::span<std::uint8_t> out);

 private:
  struct Node {
    float x = 0;  // place in the picture, counted from pixel centres
    float y = 0;
  };
  void place_nodes(const MomentScript& script, int frame, const FaceMap& map,
                   const WarpField& mean_shift);
  void add_face(const MomentStill& still, float gain, float offset);
  void light_up(const MomentScript& script, int frame);
  void hide(const MomentScript& script, int frame);

  const MomentStills& stills_;
  const std::vector<FaceMap>& maps_;
  int size_;
  int cells_;                // of kCell pixels, per side
  std::vector<Node> nodes_;  // (cells + 1)^2
  std::vector<Node> row_;    // the nodes of one line of pixels
  std::vector<float> sum_;   // [size, size], 0..255
};

}  // namespace mien::media
