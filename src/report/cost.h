// What a model costs, counted from its spec: nothing is run or loaded.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model_config.h"

namespace mien::report {

// Multiply-accumulates of one forward pass by the rule of the papers' tables (NOTES.md section 11):
// every product in linear layers, convolutions and the two attention products, and those of
// AdaTosk's mask; no biases, norms, softmax, activations, resizing.
struct ModelCost {
  std::int64_t parameters = 0;  // trained numbers; BatchNorm statistics are not counted
  double gmacs = 0.0;           // sum of by_part
  std::vector<std::pair<std::string, double>> by_part;  // GMACs, in the order of the network

  // The landmark trunk (MobileFaceNet up to conv_4) that an S2D model needs: part of the figures
  // above only when the config carries it (with_landmark), as in the papers' tables. 0 for others.
  std::int64_t landmark_parameters = 0;
  double landmark_gmacs = 0.0;

  // f32 bytes of the activations that must be alive together in the largest layer, weights left
  // out. The engine needs less: it takes some frames at a time through the blocks.
  std::int64_t activation_bytes = 0;

  int frames = 1;       // what was counted: frames of the clip
  int size = 0;         // and its side in pixels
  double budget = 0.0;  // AdaTosk: share of the tokens computed past the gate; 0 for others
};

// One clip. `frames` <= 0: the model's own (num_frames of a video model, else 1). `size` <= 0: its
// own; else a model other than MobileFaceNet is counted as if it had been made for that side.
// `budget` <= 0: the model's own. Errors: kInvalidArgument (frames above 4096, frames or a size
// that the model cannot have, a budget above 1 or for a model without one).
Result<ModelCost> model_cost(const core::ModelConfig& config, int frames, int size,
                             double budget = 0.0);

}  // namespace mien::report
