#include "export/models.h"

namespace mien::exporting {
namespace {

Value bottleneck(GraphBuilder& g, const Weights& weights, const core::BottleneckSpec& spec,
                 const Value& x) {
  const Value wide = conv_block(g, weights, spec.conv(), x, false);
  const Value deep = conv_block(g, weights, spec.conv_dw(), wide, false);
  const Value narrow = conv_block(g, weights, spec.project(), deep, false);
  return spec.residual ? add(g, x, narrow) : narrow;
}

Value stages(GraphBuilder& g, const Weights& weights,
             const std::vector<core::MobileFaceNetStage>& specs, Value x) {
  for (const core::MobileFaceNetStage& stage : specs) {
    g.enter(weights.full(stage.name));
    for (const core::ConvBlockSpec& conv : stage.convs) x = conv_block(g, weights, conv, x, false);
    for (const core::BottleneckSpec& block : stage.bottlenecks) {
      x = bottleneck(g, weights, block, x);
    }
  }
  g.enter("");
  return x;
}

// The last matrix, without bias, with the norm behind it.
Matrix folded_output(const Weights& weights) {
  Matrix matrix = read_matrix(weights, "output_layer.linear");
  const FoldedNorm norm = fold_batch_norm(weights, "output_layer.bn");
  const std::size_t in = matrix.weight.size() / matrix.out;
  for (std::size_t o = 0; o < matrix.out; ++o) {
    for (std::size_t i = o * in; i < (o + 1) * in; ++i) {
      matrix.weight[i] = static_cast<float>(static_cast<double>(matrix.weight[i]) * norm.scale[o]);
    }
    matrix.bias.push_back(static_cast<float>(norm.shift[o]));
  }
  return matrix;
}

}  // namespace

Value mobilefacenet_trunk(GraphBuilder& g, const Weights& weights, const Value& pictures) {
  return stages(g, weights, core::mobilefacenet_trunk(), pictures);
}

void add_mobilefacenet(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights) {
  const std::int64_t side = config.mobilefacenet.input_size;
  const Value x = g.input("x", {-1, 3, side, side}, "pictures",
                          "square face crops, RGB, normalised as the metadata says");
  const Value map =
      stages(g, weights, core::mobilefacenet_tail(), mobilefacenet_trunk(g, weights, x));
  const Value pooled = conv_block(g, weights, core::mobilefacenet_gdc(), map, false);
  const Value flat = g.node("Flatten", {pooled}, {int_attribute("axis", 1)});
  const Value points = affine(g, "output_layer", folded_output(weights), flat);
  g.output(points, "landmark", {-1, config.mobilefacenet.embedding_size}, "pictures",
           "points as x0, y0, x1, y1, ..., in fractions of the crop's side");
}

}  // namespace mien::exporting
