// A model as an ONNX graph, for other runtimes.
#pragma once

#include <string>

#include "core/model_config.h"
#include "core/tensor.h"
#include "export/graph_builder.h"

namespace mien::exporting {

struct OnnxOptions {
  // AdaTosk: the share of the tokens that the graph computes past its mask, (0, 1]; 0: the model's
  // own. It is part of the graph.
  double budget = 0.0;
  std::string version{};  // of the program that writes the file
};

// Writes `path` whole or not at all: opset 17, f32, every weight inside. Inputs and outputs have
// the names and shapes of engine/infer.h: x [clips, C, T, S, S] (a model of stills has T = 1),
// normalised as the metadata says, for S2D without its landmark trunk also a [clips * T,
// in_chans_l, grid, grid]; feature [clips, D] and logits [clips, classes], for AdaTosk mask
// [clips, slots, grid, grid]. MobileFaceNet: x [pictures, 3, 112, 112] -> landmark [pictures, 136].
// Any number of clips or pictures.
// Metadata: mien.config (the whole configuration as JSON), mien.arch, mien.classes (names, by
// commas), mien.mean and mien.std (three numbers each, by commas), mien.gray ("1" or "0"),
// mien.budget (AdaTosk).
// Errors: kInvalidArgument (context "budget"), kUnsupported (a budget for another model, a landmark
// trunk that does not see three channels), kBadFormat (weights that do not fit the config), kLimit
// (2 GiB, memory), kIo.
Result<GraphSize> export_onnx(const core::ModelConfig& config, const core::TensorViewMap& weights,
                              const OnnxOptions& options, const std::string& path);

}  // namespace mien::exporting
