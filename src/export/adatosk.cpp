#include "core/adatosk_spec.h"
#include "core/s2d_spec.h"
#include "export/models.h"
#include "export/vit_block.h"

namespace mien::exporting {
namespace {

// The frames of a slot behind each other as channels (frame by frame, in each its planes), through
// the stem: [clips, S * P, D].
Value stem_tokens(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
                  const Value& clip) {
  g.enter("patch_embed");
  const core::VideoMaeConfig& v = c.vit;
  const std::int64_t side = v.img_size;
  const Value split = reshape(g, clip, Ints{-1, v.in_chans, v.slots(), v.tubelet_size, side, side});
  const Value by_slot = transpose(g, split, Ints{0, 2, 3, 1, 4, 5});
  Value map = reshape(g, by_slot, Ints{-1, c.stem_channels(), side, side});
  for (const core::ConvBlockSpec& block : core::adatosk_stem(c)) {
    map = conv_block(g, weights, block, map, true);
  }
  map = patch_conv(g, weights, "patch_embed.proj", map);
  return reshape(g, tokens_of(g, map, v.embed_dim), Ints{-1, v.tokens(), v.embed_dim});
}

// The blocks before the gate, over all tokens or, slotwise, over those of each slot: [clips, S * P,
// D] -> the same.
Value to_gate(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights, Value tokens) {
  const core::VideoMaeConfig& v = c.vit;
  const VitSizes sizes{.width = v.embed_dim, .heads = v.num_heads};
  const std::int64_t places = v.tokens() / v.slots();
  if (c.slotwise) tokens = reshape(g, tokens, Ints{-1, places, v.embed_dim});
  tokens = vit_blocks(g, weights, sizes, 0, c.gate, tokens);
  return c.slotwise ? reshape(g, tokens, Ints{-1, v.tokens(), v.embed_dim}) : tokens;
}

// What goes past the gate knows its slot: [clips, S * P, D] -> the same.
Value in_time(GraphBuilder& g, const core::AdaToskConfig& c, const Value& tokens) {
  if (!c.slotwise) return tokens;
  const core::VideoMaeConfig& v = c.vit;
  const auto row = static_cast<std::size_t>(v.embed_dim) *
                   static_cast<std::size_t>(v.tokens() / v.slots());  // a slot's values
  const std::vector<float> slots = core::adatosk_slot_positions(c);
  std::vector<float> all;
  for (std::size_t i = 0; i < slots.size(); i += static_cast<std::size_t>(v.embed_dim)) {
    for (std::size_t j = 0; j < row; ++j) {
      all.push_back(slots[i + j % static_cast<std::size_t>(v.embed_dim)]);
    }
  }
  return add(g, tokens, g.constant("slot_positions", all, {1, v.tokens(), v.embed_dim}));
}

// The tokens that go on past the gate.
struct Kept {
  Value tokens;    // [clips, kept, D]
  Value log_mask;  // [clips, kept]; "": all count alike
};

// The `count` tokens of the largest log m in their old order; of equals the first, which is what
// TopK takes as well.
Kept keep(GraphBuilder& g, std::int64_t count, std::int64_t all, const Value& tokens,
          const Value& log_mask) {
  if (count >= all) return {tokens, log_mask};
  if (log_mask.empty()) return {slice(g, tokens, 1, 0, count), ""};
  g.enter("keep");
  const auto top = [&](const Value& x, std::int64_t largest) {
    return g.nodes(
        "TopK", {x, g.ints(Ints{count})},
        {int_attribute("axis", -1), int_attribute("largest", largest), int_attribute("sorted", 1)},
        2);
  };
  const Value places = top(top(log_mask, 1)[1], 0)[0];
  const Value rows =
      g.node("GatherND", {tokens, unsqueeze(g, places, 2)}, {int_attribute("batch_dims", 1)});
  const Value logs = g.node("GatherElements", {log_mask, places}, {int_attribute("axis", 1)});
  g.enter("");
  return {rows, logs};
}

// The mean of the tokens, weighted with their mask: [clips, D].
Value pooled(GraphBuilder& g, const Kept& kept) {
  if (kept.log_mask.empty()) return reduce_mean(g, kept.tokens, 1);
  const Value shares = unsqueeze(g, softmax(g, kept.log_mask, -1), 1);
  return squeeze(g, matmul(g, shares, kept.tokens), 1);
}

// m as the engine gives it: 1 everywhere for a model without a mask.
void put_mask(GraphBuilder& g, const core::AdaToskConfig& c, const Value& tokens,
              const Value& log_mask) {
  const std::int64_t grid = c.vit.grid();
  Value mask;
  if (log_mask.empty()) {
    const Value first = squeeze(g, slice(g, tokens, 2, 0, 1), 2);
    mask = g.node("Exp", {mul(g, first, g.scalar(0.0F))});
  } else {
    mask = g.node("Exp", {log_mask});
  }
  g.output(reshape(g, mask, Ints{0, c.vit.slots(), grid, grid}), "mask",
           {-1, c.vit.slots(), grid, grid}, kClips, "how much each token counts, 0 to 1");
}

}  // namespace

void add_adatosk(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights) {
  const core::AdaToskConfig& c = config.adatosk;
  const core::VideoMaeConfig& v = c.vit;
  const std::int64_t all = v.tokens();
  const Value clip = clip_input(g, config, v.in_chans);
  const Value embedded =
      c.stem.empty() ? tokens_of(g, patch_conv(g, weights, "patch_embed.proj", clip), v.embed_dim)
                     : stem_tokens(g, c, weights, clip);
  const Value positions =
      g.constant("positions", core::adatosk_positions(c), {1, all, v.embed_dim});
  const VitSizes sizes{.width = v.embed_dim, .heads = v.num_heads};
  const Value tokens = to_gate(g, c, weights, add(g, embedded, positions));
  const Value log_mask = c.masks() ? soft_mask(g, c, weights, tokens) : Value();
  const std::int64_t count = core::kept_tokens(c.budget, all);
  Kept kept = keep(g, count, all, in_time(g, c, tokens), log_mask);
  const Value key_bias =
      kept.log_mask.empty() ? Value() : reshape(g, kept.log_mask, Ints{-1, 1, 1, count});
  kept.tokens = vit_blocks(g, weights, sizes, c.gate, v.depth, kept.tokens, key_bias);
  const Value feature = layer_norm(g, weights, "fc_norm", pooled(g, kept), core::kVitNormEps);
  classify(g, weights, "head", feature);
  put_mask(g, c, tokens, log_mask);
}

}  // namespace mien::exporting
