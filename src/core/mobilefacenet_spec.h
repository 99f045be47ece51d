// The layers of MobileFaceNet (official: landmark/mobilefacenet.py; NOTES.md section 2).
#pragma once

#include <string>
#include <vector>

#include "core/tensor_table.h"

namespace mien::core {

// Convolution without bias + BatchNorm (eps 1e-5) + optional PReLU. Tensors: <name>.conv.weight,
// <name>.bn.{weight,bias,running_mean,running_var}, <name>.prelu.weight.
struct ConvBlockSpec {
  std::string name;
  int in = 0;
  int out = 0;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int groups = 1;
  bool prelu = true;
};

// "Depth_Wise": 1x1 expand, 3x3 depthwise, 1x1 linear projection; <name>.{conv,conv_dw,project}.
struct BottleneckSpec {
  std::string name;
  int in = 0;
  int expand = 0;
  int out = 0;
  int stride = 1;
  bool residual = false;

  ConvBlockSpec conv() const;
  ConvBlockSpec conv_dw() const;
  ConvBlockSpec project() const;
};

// A named point of the network: one conv block, or a run of bottlenecks.
struct MobileFaceNetStage {
  std::string name;  // "conv1", "conv_3", ...: golden activations are stage outputs
  std::vector<ConvBlockSpec> convs;
  std::vector<BottleneckSpec> bottlenecks;
};

// conv1 .. conv_4: all that S2D uses. Output 128 channels at 1/8 of the input's side.
std::vector<MobileFaceNetStage> mobilefacenet_trunk();

// conv_45, conv_5, conv_6_sep: 512 channels at 1/16.
std::vector<MobileFaceNetStage> mobilefacenet_tail();

// output_layer.conv_6_dw: the 7x7 global depthwise convolution (no PReLU), then output_layer.linear
// [embedding, 512] without bias and output_layer.bn (BatchNorm1d).
ConvBlockSpec mobilefacenet_gdc();

inline constexpr int kMobileFaceNetFeatureChannels = 128;
inline constexpr float kBatchNormEps = 1e-5F;

// Tables of the trunk alone (names prefixed, e.g. "landmark.") and of the whole network.
void append_conv_block(TensorTable& table, const ConvBlockSpec& spec, const std::string& prefix);
TensorTable mobilefacenet_trunk_table(const std::string& prefix);
TensorTable mobilefacenet_table(const MobileFaceNetConfig& config);

}  // namespace mien::core
