#include <cmath>

#include "core/s2d_spec.h"
#include "export/models.h"
#include "export/vit_block.h"

namespace mien::exporting {
namespace {

// values + other, number by number.
std::vector<float> sum_of(std::vector<float> values, const std::vector<float>& other) {
  for (std::size_t i = 0; i < other.size(); ++i) values[i] += other[i];
  return values;
}

Value patch_tokens(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights,
                   const Value& frames) {
  g.enter("patch_embed");
  Value map = frames;
  int channels = c.in_chans;
  for (std::size_t i = 0; i < c.stem.size(); ++i) {
    const core::ConvBlockSpec spec{.name = "patch_embed.stem." + std::to_string(i),
                                   .in = channels,
                                   .out = c.stem[i].channels,
                                   .kernel = 3,
                                   .stride = c.stem[i].stride,
                                   .padding = 1,
                                   .prelu = false};
    map = conv_block(g, weights, spec, map, true);
    channels = c.stem[i].channels;
  }
  return tokens_of(g, patch_conv(g, weights, "patch_embed.proj", map), c.embed_dim);
}

// The factor that makes `size` pixels exactly `wanted`: runtimes round the product down.
float resize_factor(int size, int wanted) {
  const auto from = static_cast<float>(size);
  float factor = static_cast<float>(wanted) / from;
  while (std::floor(factor * from) < static_cast<float>(wanted)) {
    factor = std::nextafter(factor, 2.0F * factor);
  }
  return factor;
}

// [frames, in_chans_l, grid, grid]: the model's own network over the frames, or an input.
Value landmark_map(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights,
                   const Value& frames) {
  if (!c.with_landmark) {
    return g.input("a", {-1, c.in_chans_l, c.grid(), c.grid()}, kFrames,
                   "landmark features of each frame, the conv_4 map of the landmark network");
  }
  g.enter("landmark");
  Value pictures = frames;
  if (c.landmark_size != c.img_size) {
    const float factor = resize_factor(c.img_size, c.landmark_size);
    const std::vector<float> factors = {1.0F, 1.0F, factor, factor};
    const Value scales = g.constant("landmark_scales", factors, core::Shape{4});
    pictures = g.node("Resize", {frames, "", scales},
                      {text_attribute("mode", "linear"),
                       text_attribute("coordinate_transformation_mode", "align_corners")});
  }
  return mobilefacenet_trunk(g, weights.under(core::kLandmarkPrefix), pictures);
}

// The patch tokens with the class token before them, positions and time: [frames, 1 + N, D].
Value assemble(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights,
               const Value& patches) {
  g.enter("assemble");
  const std::int64_t width = c.embed_dim;
  const std::int64_t places = c.num_patches();
  const std::vector<float> positions = weights.floats("pos_embed");
  const auto first = positions.begin() + c.embed_dim;
  const Value first_token =
      g.constant("first_token", sum_of({positions.begin(), first}, weights.floats("cls_token")),
                 {1, 1, width});
  const Value place_table = g.constant(
      "pos_embed.patches", std::vector<float>(first, positions.end()), {1, places, width});
  const Value count =
      g.node("Shape", {patches}, {int_attribute("start", 0), int_attribute("end", 1)});
  const Value class_shape = concat(g, {count, g.ints(Ints{1, width})}, 0);
  const Value class_tokens = g.node("Expand", {first_token, class_shape});
  const Value x = concat(g, {class_tokens, add(g, patches, place_table)}, 1);
  if (!c.temporal) return x;
  const Value time = g.constant("temporal_embedding", weights.floats("temporal_embedding"),
                                {1, c.num_frames, 1, width});
  const Value clips = reshape(g, x, Ints{-1, c.num_frames, 1 + places, width});
  return reshape(g, add(g, clips, time), Ints{-1, 1 + places, width});
}

// x + m + s.
Value prompted(GraphBuilder& g, const Value& x, const PromptResult& prompt) {
  const Value with_time = prompt.temporal.empty() ? x : add(g, x, prompt.temporal);
  return add(g, with_time, prompt.spatial);
}

}  // namespace

void add_s2d(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights) {
  const core::S2DConfig& c = config.s2d;
  const std::int64_t width = c.embed_dim;
  const std::int64_t tokens = c.num_patches() + 1;
  const Value clip = clip_input(g, config, c.in_chans);
  const Value by_frame = transpose(g, clip, Ints{0, 2, 1, 3, 4});
  const Value frames = reshape(g, by_frame, Ints{-1, c.in_chans, c.img_size, c.img_size});
  const Value map = landmark_map(g, c, weights, frames);
  const Value first_patches = patch_tokens(g, c, weights, frames);
  Value landmarks = tokens_of(g, patch_conv(g, weights, "patch_embed_prompt.proj", map), width);

  // The first prompt works before the class token joins.
  const PromptResult first = s2d_prompt(g, c, weights, 0, first_patches, landmarks);
  landmarks = first.spatial;
  Value x = assemble(g, c, weights, prompted(g, first_patches, first));
  const VitSizes sizes{.width = width, .heads = c.num_heads};
  for (int i = 0; i < c.depth; ++i) {
    if (i > 0 && i < core::prompt_count(c)) {
      const Value patches = slice(g, x, 1, 1, tokens);
      const PromptResult prompt = s2d_prompt(g, c, weights, i, patches, landmarks);
      landmarks = prompt.spatial;
      x = concat(g, {slice(g, x, 1, 0, 1), prompted(g, patches, prompt)}, 1);
    }
    x = vit_blocks(g, weights, sizes, i, i + 1, x);
  }
  const Value class_tokens = squeeze(g, slice(g, x, 1, 0, 1), 1);
  const Value features = layer_norm(g, weights, "ln_post", class_tokens, core::kVitNormEps);
  const Value by_clip = reshape(g, features, Ints{-1, config.input_frames(), width});
  classify(g, weights, "head.fc_cls", reduce_mean(g, by_clip, 1));
}

}  // namespace mien::exporting
