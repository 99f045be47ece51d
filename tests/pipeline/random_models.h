// Model files with seeded random weights: real files for the whole program, without real skill.
#pragma once

#include <cstdint>
#include <string>

#include "mien/result.hpp"

namespace mien::testing {

struct RandomModel {
  bool temporal = false;  // the video model (16 frames) instead of the image model
  int width = 64;         // a multiple of 64; heads follow
  int depth = 2;
  std::uint32_t seed = 1;
};

// A small S2D with its landmark trunk and the eight FERPlus classes.
Status write_random_recognizer(const std::string& path, const RandomModel& model = {});

// A small AdaTosk with a stem and the same classes: 8 slots of 7x7, 0.4 of the tokens kept.
Status write_random_adatosk(const std::string& path, std::uint32_t seed = 1);

// A MobileFaceNet.
Status write_random_landmark_net(const std::string& path, std::uint32_t seed = 1);

}  // namespace mien::testing
