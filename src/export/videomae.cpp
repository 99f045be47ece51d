#include "core/s2d_spec.h"
#include "core/videomae_spec.h"
#include "export/models.h"
#include "export/vit_block.h"

namespace mien::exporting {

Value clip_input(GraphBuilder& g, const core::ModelConfig& config, std::int64_t channels) {
  const std::int64_t side = config.input_size();
  const char* meaning = channels == 1 ? "clips of aligned faces, luma, normalised"
                                      : "clips of aligned faces, RGB, normalised";
  return g.input("x", {-1, channels, config.input_frames(), side, side}, kClips,
                 std::string(meaning) + " as the metadata says");
}

void classify(GraphBuilder& g, const Weights& weights, const std::string& name,
              const Value& feature) {
  const Matrix head = read_matrix(weights, name);
  const auto classes = static_cast<std::int64_t>(head.out);
  const auto width = static_cast<std::int64_t>(head.weight.size() / head.out);
  g.output(feature, "feature", {-1, width}, kClips, "what the head classifies");
  g.output(affine(g, weights.full(name), head, feature), "logits", {-1, classes}, kClips,
           "one number per class, before softmax");
}

void add_videomae(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights) {
  const core::VideoMaeConfig& c = config.videomae;
  const Value clip = clip_input(g, config, c.in_chans);
  // Rows of the map's places are in the order (slot, row, column), as the tokens are.
  const Value tokens = tokens_of(g, patch_conv(g, weights, "patch_embed.proj", clip), c.embed_dim);
  const Value positions =
      g.constant("positions", core::sincos_positions(c.tokens(), c.embed_dim),
                 core::Shape{1, static_cast<std::int64_t>(c.tokens()), c.embed_dim});
  const VitSizes sizes{.width = c.embed_dim, .heads = c.num_heads};
  const Value x = vit_blocks(g, weights, sizes, 0, c.depth, add(g, tokens, positions));
  const Value mean = reduce_mean(g, x, 1);
  classify(g, weights, "head", layer_norm(g, weights, "fc_norm", mean, core::kVitNormEps));
}

}  // namespace mien::exporting
