#include "core/mobilefacenet_spec.h"

namespace mien::core {
namespace {

constexpr int kFeature = kMobileFaceNetFeatureChannels;

MobileFaceNetStage conv_stage(ConvBlockSpec conv) {
  MobileFaceNetStage stage;
  stage.name = conv.name;
  stage.convs.push_back(std::move(conv));
  return stage;
}

MobileFaceNetStage down_stage(const std::string& name, int in, int expand, int out) {
  MobileFaceNetStage stage;
  stage.name = name;
  stage.bottlenecks.push_back({name, in, expand, out, 2, false});
  return stage;
}

MobileFaceNetStage residual_stage(const std::string& name, int channels, int expand, int count) {
  MobileFaceNetStage stage;
  stage.name = name;
  for (int i = 0; i < count; ++i) {
    stage.bottlenecks.push_back(
        {name + ".model." + std::to_string(i), channels, expand, channels, 1, true});
  }
  return stage;
}

void append_stage(TensorTable& table, const MobileFaceNetStage& stage, const std::string& prefix) {
  for (const ConvBlockSpec& conv : stage.convs) append_conv_block(table, conv, prefix);
  for (const BottleneckSpec& block : stage.bottlenecks) {
    append_conv_block(table, block.conv(), prefix);
    append_conv_block(table, block.conv_dw(), prefix);
    append_conv_block(table, block.project(), prefix);
  }
}

void append_batch_norm(TensorTable& table, const std::string& name, int channels) {
  table.push_back({name + ".weight", {channels}});
  table.push_back({name + ".bias", {channels}});
  table.push_back({name + ".running_mean", {channels}, true});
  table.push_back({name + ".running_var", {channels}, true});
}

}  // namespace

ConvBlockSpec BottleneckSpec::conv() const {
  return {.name = name + ".conv", .in = in, .out = expand};
}

ConvBlockSpec BottleneckSpec::conv_dw() const {
  return {.name = name + ".conv_dw",
          .in = expand,
          .out = expand,
          .kernel = 3,
          .stride = stride,
          .padding = 1,
          .groups = expand};
}

ConvBlockSpec BottleneckSpec::project() const {
  return {.name = name + ".project", .in = expand, .out = out, .prelu = false};
}

std::vector<MobileFaceNetStage> mobilefacenet_trunk() {
  return {
      conv_stage({.name = "conv1", .in = 3, .out = 64, .kernel = 3, .stride = 2, .padding = 1}),
      conv_stage(
          {.name = "conv2_dw", .in = 64, .out = 64, .kernel = 3, .padding = 1, .groups = 64}),
      down_stage("conv_23", 64, 128, 64),
      residual_stage("conv_3", 64, 128, 4),
      down_stage("conv_34", 64, 256, kFeature),
      residual_stage("conv_4", kFeature, 256, 6),
  };
}

std::vector<MobileFaceNetStage> mobilefacenet_tail() {
  return {
      down_stage("conv_45", kFeature, 512, 128),
      residual_stage("conv_5", 128, 256, 2),
      conv_stage({.name = "conv_6_sep", .in = 128, .out = 512}),
  };
}

ConvBlockSpec mobilefacenet_gdc() {
  return {.name = "output_layer.conv_6_dw",
          .in = 512,
          .out = 512,
          .kernel = 7,
          .groups = 512,
          .prelu = false};
}

void append_conv_block(TensorTable& table, const ConvBlockSpec& spec, const std::string& prefix) {
  const std::string name = prefix + spec.name;
  table.push_back(
      {name + ".conv.weight", {spec.out, spec.in / spec.groups, spec.kernel, spec.kernel}});
  append_batch_norm(table, name + ".bn", spec.out);
  if (spec.prelu) table.push_back({name + ".prelu.weight", {spec.out}});
}

TensorTable mobilefacenet_trunk_table(const std::string& prefix) {
  TensorTable table;
  for (const MobileFaceNetStage& stage : mobilefacenet_trunk()) append_stage(table, stage, prefix);
  return table;
}

TensorTable mobilefacenet_table(const MobileFaceNetConfig& config) {
  TensorTable table = mobilefacenet_trunk_table("");
  for (const MobileFaceNetStage& stage : mobilefacenet_tail()) append_stage(table, stage, "");
  append_conv_block(table, mobilefacenet_gdc(), "");
  table.push_back({"output_layer.linear.weight", {config.embedding_size, 512}});
  append_batch_norm(table, "output_layer.bn", config.embedding_size);
  return table;
}

}  // namespace mien::core
