#include <cmath>

#include "core/s2d_spec.h"
#include "export/models.h"

namespace mien::exporting {
namespace {

// Over the places of a frame, channel by channel: softmax(u * smooth) * u. A smooth of exactly 0
// means softmax(u), as the official code tests it for truth. u: [n, N, hidden].
Value fovea(GraphBuilder& g, const Weights& weights, const Value& u) {
  const float smooth = weights.floats("fovea.smooth").at(0);
  const Value factor = g.scalar(smooth == 0.0F ? 1.0F : smooth);
  return mul(g, softmax(g, mul(g, u, factor), 1), u);
}

// Attention of each patch over the frames of its clip. x: [clips * T, N, r], and so the result.
Value attention_over_time(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights,
                          const Value& x) {
  const std::int64_t r = c.adapter_dim();
  const std::int64_t head = r / core::kTmaHeads;
  const Value qkv = linear(g, weights, "attn.qkv", x);
  const std::vector<Value> parts =
      g.nodes("Split", {qkv, g.ints(Ints{r, r, r})}, {int_attribute("axis", 2)}, 3);
  // [clips * T, N, r] -> [clips, N, heads, ...]
  const auto by_place = [&](const Value& part, const Ints& order) {
    const Ints shape = {-1, c.num_frames, c.num_patches(), core::kTmaHeads, head};
    return transpose(g, reshape(g, part, shape), order);
  };
  const Value q = by_place(parts[0], Ints{0, 2, 3, 1, 4});
  const Value k = by_place(parts[1], Ints{0, 2, 3, 4, 1});
  const Value v = by_place(parts[2], Ints{0, 2, 3, 1, 4});
  const float scale = 1.0F / std::sqrt(static_cast<float>(head));
  const Value scores = matmul(g, mul(g, q, g.scalar(scale)), k);
  const Value mixed = matmul(g, softmax(g, scores, -1), v);
  const Value rows = transpose(g, mixed, Ints{0, 3, 1, 2, 4});
  const Value joined = reshape(g, rows, Ints{-1, c.num_patches(), r});
  return linear(g, weights, "attn.proj", joined);
}

// The temporal term: two adapters without skip connections, a norm between them.
Value adapt(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights, const Value& x) {
  const Weights t = weights.under("T_Adapter.");
  const Value down = gelu(g, linear(g, t, "D_fc1", x));
  const Value up = linear(g, t, "D_fc2", attention_over_time(g, c, t, down));
  const Value normed = layer_norm(g, weights, "norm", up, core::kTmaNormEps);
  const Weights s = weights.under("S_Adapter.");
  return linear(g, s, "D_fc2", gelu(g, linear(g, s, "D_fc1", normed)));
}

}  // namespace

PromptResult s2d_prompt(GraphBuilder& g, const core::S2DConfig& c, const Weights& weights,
                        int index, const Value& patches, const Value& landmarks) {
  const std::string name = "prompt_blocks." + std::to_string(index);
  g.enter(name);
  const Weights prompt = weights.under(name + ".");
  // prompt_norms[0] serves the patches at prompts 0 and 1 and the landmarks at every prompt: so
  // does the official code (NOTES.md section 1, item 7).
  const std::string norm = "prompt_norms." + std::to_string(index == 0 ? 0 : index - 1);
  const Value x = layer_norm(g, weights, norm, patches, core::kVitNormEps);
  const Value a = layer_norm(g, weights, "prompt_norms.0", landmarks, core::kVitNormEps);
  const Value u = linear(g, prompt, "conv0_0", x);
  const Value v = linear(g, prompt, "conv0_1", a);
  PromptResult result;
  result.spatial = linear(g, prompt, "conv1x1", add(g, fovea(g, prompt, u), v));
  if (c.temporal) result.temporal = adapt(g, c, prompt.under("TMA."), x);
  g.enter("");
  return result;
}

}  // namespace mien::exporting
