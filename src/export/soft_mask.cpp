// The formulas are those of core/adatosk_spec.h, and so are the letters.
#include <cmath>
#include <cstdlib>

#include "core/adatosk_spec.h"
#include "core/s2d_spec.h"
#include "export/models.h"

namespace mien::exporting {
namespace {

double softplus(double x) {
  return x > 30.0 ? x : std::log1p(std::exp(x));
}

float softplus_of(const Weights& weights, const std::string& name) {
  return static_cast<float>(softplus(static_cast<double>(weights.floats(name).at(0))));
}

// Tokens and what is known of them.
struct Tokens {
  Value zn;            // [clips, S * P, D]
  Value y;             // [clips, S, P, D]
  Value lengths;       // |y|, [clips, S, P, 1]
  Value means;         // M, [clips, S, D]
  Value mean_lengths;  // |M|, [clips, S, 1]
};

Value length_of(GraphBuilder& g, const Value& x) {
  return g.node("Sqrt", {reduce_sum(g, mul(g, x, x), -1, true)});
}

// products / max(lengths, kMaskNormFloor).
Value cosine(GraphBuilder& g, const Value& products, const Value& lengths) {
  return div(g, products, larger(g, lengths, g.scalar(core::kMaskNormFloor)));
}

// Over the last axis.
Value standardise(GraphBuilder& g, const Value& x) {
  constexpr float kFloor = core::kMaskStdFloor;
  const Value centred = sub(g, x, reduce_mean(g, x, -1, true));
  const Value variance = reduce_mean(g, mul(g, centred, centred), -1, true);
  return div(g, centred, g.node("Sqrt", {add(g, variance, g.scalar(kFloor * kFloor))}));
}

Tokens look_at(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
               const Value& z) {
  const std::int64_t slots = c.vit.slots();
  const std::int64_t width = c.vit.embed_dim;
  const std::int64_t places = c.vit.tokens() / slots;
  Tokens t;
  t.zn = layer_norm(g, weights, "mask.norm", z, core::kVitNormEps);
  const Value slot_mean =
      g.constant("mask.slot_mean", weights.floats("mask.slot_mean"), {1, slots, 1, width});
  t.y = sub(g, reshape(g, t.zn, Ints{-1, slots, places, width}), slot_mean);
  t.lengths = length_of(g, t.y);
  t.means = reduce_mean(g, t.y, 2);
  t.mean_lengths = length_of(g, t.means);
  return t;
}

// c: [clips, S, P]. The first and the last slot have one neighbour, which counts twice below.
Value change(GraphBuilder& g, std::int64_t slots, const Tokens& t) {
  const auto early = [&](const Value& x) { return slice(g, x, 1, 0, slots - 1); };
  const auto late = [&](const Value& x) { return slice(g, x, 1, 1, slots); };
  const Value products = reduce_sum(g, mul(g, early(t.y), late(t.y)), -1);
  const Value lengths = squeeze(g, mul(g, early(t.lengths), late(t.lengths)), -1);
  const Value half = g.scalar(0.5F);
  const Value pairs = mul(g, sub(g, g.scalar(1.0F), cosine(g, products, lengths)), half);
  const Value before = concat(g, {slice(g, pairs, 1, 0, 1), pairs}, 1);
  const Value after = concat(g, {pairs, slice(g, pairs, 1, slots - 2, slots - 1)}, 1);
  return mul(g, add(g, before, after), half);
}

// Of each slot but the first, weights over all slots: `weigh(s)` for those before s, else 0.
template <typename Weigh>
std::vector<float> over_earlier(std::int64_t slots, const Weigh& weigh) {
  std::vector<float> matrix;
  for (std::int64_t s = 1; s < slots; ++s) {
    for (std::int64_t u = 0; u < slots; ++u) matrix.push_back(u < s ? weigh(s) : 0.0F);
  }
  return matrix;
}

// No class has been said before the first slot: it is given the mean of the others. [clips, S - 1]
// -> [clips, S].
Value with_first(GraphBuilder& g, const Value& others) {
  return concat(g, {reduce_mean(g, others, 1, true), others}, 1);
}

// 0 for every token: [clips, S, P].
Value zeros(GraphBuilder& g, const Tokens& t) {
  return mul(g, squeeze(g, t.lengths, -1), g.scalar(0.0F));
}

// R: [clips, S, P]; 1 in the first slot.
Value resemblance(GraphBuilder& g, const core::AdaToskConfig& c, const Tokens& t) {
  const std::int64_t slots = c.vit.slots();
  const std::int64_t width = c.vit.embed_dim;
  const std::int64_t places = c.vit.tokens() / slots;
  const auto share = [](std::int64_t s) { return 1.0F / static_cast<float>(s); };
  const Value mean =
      g.constant("mask.mean_of_earlier", over_earlier(slots, share), {1, slots - 1, slots});
  const Value rows = reshape(g, t.y, Ints{0, 0, places * width});
  const Value past = reshape(g, matmul(g, mean, rows), Ints{-1, slots - 1, places, width});
  const Value own = slice(g, t.y, 1, 1, slots);
  const Value products = reduce_sum(g, mul(g, own, past), -1);
  const Value lengths =
      squeeze(g, mul(g, slice(g, t.lengths, 1, 1, slots), length_of(g, past)), -1);
  const Value first = add(g, slice(g, zeros(g, t), 1, 0, 1), g.scalar(1.0F));
  return concat(g, {first, cosine(g, products, lengths)}, 1);
}

// From scores [clips, S, P] and repetition [clips, S, P or 1] ("": there is none) to the logarithm
// of the factor, [clips, S * P].
Value factor_of(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
                const Value& scores, const Value& repetition) {
  Value less = scores;
  if (!repetition.empty()) {
    less = sub(g, scores, mul(g, repetition, g.scalar(softplus_of(weights, "repeat"))));
  }
  const Value standard = standardise(g, reshape(g, less, Ints{0, c.vit.tokens()}));
  const Value scaled = mul(g, standard, g.scalar(softplus_of(weights, "scale")));
  return log_sigmoid(g, add(g, scaled, g.scalar(weights.floats("offset").at(0))));
}

// h: [clips, S, P, D].
Value moved(GraphBuilder& g, const Tokens& t) {
  return sub(g, t.y, reduce_mean(g, t.y, 1, true));
}

// Weights of a slot (2) and its neighbours (1) in their mean: [S, S].
std::vector<float> means_of_neighbours(std::int64_t slots) {
  std::vector<float> matrix;
  for (std::int64_t s = 0; s < slots; ++s) {
    const float all = 2.0F + (s > 0 ? 1.0F : 0.0F) + (s + 1 < slots ? 1.0F : 0.0F);
    for (std::int64_t u = 0; u < slots; ++u) {
      const std::int64_t apart = std::abs(s - u);
      matrix.push_back(apart > 1 ? 0.0F : (apart == 0 ? 2.0F : 1.0F) / all);
    }
  }
  return matrix;
}

// r less its mean over the slots: [clips, S, P].
Value lasting(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
              const Tokens& t) {
  const Value hidden = g.node("Relu", {linear(g, weights, "hidden", t.y)});
  const Value readout =
      g.constant("mask.readout", weights.floats("readout"), {c.agnostic_hidden, 1});
  const Value one = squeeze(g, matmul(g, hidden, readout), -1);
  const std::int64_t slots = c.vit.slots();
  const Value r =
      matmul(g, g.constant("mask.smooth", means_of_neighbours(slots), {slots, slots}), one);
  return sub(g, r, reduce_mean(g, r, 1, true));
}

Value agnostic(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
               const Tokens& t) {
  g.enter("mask.agnostic");
  const std::int64_t slots = c.vit.slots();
  if (slots < 2) return factor_of(g, c, weights, zeros(g, t), "");  // nothing to compare with
  Value scores = change(g, slots, t);
  if (c.agnostic_hidden > 0) scores = add(g, scores, lasting(g, c, weights, t));
  return factor_of(g, c, weights, scores, resemblance(g, c, t));
}

// w: [C, D], row by row.
std::vector<float> prototypes(std::vector<float> rows, std::size_t width) {
  const std::size_t classes = rows.size() / width;
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < classes; ++k) sum += static_cast<double>(rows[k * width + i]);
    const auto mean = static_cast<float>(sum / static_cast<double>(classes));
    for (std::size_t k = 0; k < classes; ++k) rows[k * width + i] -= mean;
  }
  return rows;
}

// Rows of length D against the prototypes.
class Prototypes {
 public:
  Prototypes(GraphBuilder& g, const std::vector<float>& rows, std::size_t width) : g_(&g) {
    const std::size_t classes = rows.size() / width;
    std::vector<float> lengths;
    for (std::size_t k = 0; k < classes; ++k) {
      double sum = 0.0;
      for (std::size_t i = 0; i < width; ++i) {
        const auto v = static_cast<double>(rows[k * width + i]);
        sum += v * v;
      }
      lengths.push_back(static_cast<float>(std::sqrt(sum)));
    }
    const auto size = static_cast<std::int64_t>(classes);
    const Value straight =
        g.constant("mask.prototypes", rows, {size, static_cast<std::int64_t>(width)});
    turned_ = transpose(g, straight, Ints{1, 0});
    lengths_ = g.constant("mask.prototype_lengths", lengths, {size});
  }

  // x [..., D] with lengths [..., 1] -> cosines [..., C].
  Value cosines(const Value& x, const Value& lengths) const {
    return cosine(*g_, matmul(*g_, x, turned_), mul(*g_, lengths, lengths_));
  }

 private:
  GraphBuilder* g_;
  Value turned_, lengths_;
};

// softmax(aux) without the background: [clips, 1, C]. The gains g = m^a over their sum are the
// softmax of log m^a.
Value belief(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights, const Tokens& t,
             const Value& log_agnostic) {
  Value pooled;
  if (log_agnostic.empty()) {
    pooled = reduce_mean(g, t.zn, 1, true);
  } else {
    pooled = matmul(g, unsqueeze(g, softmax(g, log_agnostic, -1), 1), t.zn);
  }
  Value logits = linear(g, weights, "aux_head", pooled);
  if (c.background >= 0) {
    constexpr float kLeftOut = -1e9F;  // nothing is left of it
    std::vector<float> without(static_cast<std::size_t>(c.vit.num_classes), 0.0F);
    without[static_cast<std::size_t>(c.background)] = kLeftOut;
    logits = add(g, logits, g.constant("mask.background", without, {c.vit.num_classes}));
  }
  return softmax(g, logits, -1);
}

// d: [clips, S]. `relevance`: e, [clips, S, P]; `profiles`: q, [clips, S, C].
Value redundancy(GraphBuilder& g, std::int64_t slots, const Value& relevance,
                 const Value& profiles) {
  const Value keep =
      unsqueeze(g, g.node("Sigmoid", {standardise(g, reduce_mean(g, relevance, 2))}), 2);
  const auto one = [](std::int64_t) { return 1.0F; };
  const Value earlier =
      g.constant("mask.sum_of_earlier", over_earlier(slots, one), {1, slots - 1, slots});
  const Value past = div(g, matmul(g, earlier, mul(g, profiles, keep)), matmul(g, earlier, keep));
  const Value own = slice(g, profiles, 1, 1, slots);
  const Value lengths = mul(g, length_of(g, own), length_of(g, past));
  const Value products = reduce_sum(g, mul(g, own, past), -1, true);
  return with_first(g, squeeze(g, cosine(g, products, lengths), -1));
}

Value semantic(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
               const Tokens& t, const Value& log_agnostic) {
  g.enter("mask.semantic");
  const std::int64_t slots = c.vit.slots();
  const auto width = static_cast<std::size_t>(c.vit.embed_dim);
  const Prototypes classes(g, prototypes(weights.floats("aux_head.weight"), width), width);
  const Value clip_belief = unsqueeze(g, belief(g, c, weights, t, log_agnostic), 1);
  const Value h = moved(g, t);
  const Value lengths = larger(g, length_of(g, h), mul(g, t.lengths, g.scalar(core::kMaskStill)));
  const Value relevance = reduce_sum(g, mul(g, classes.cosines(h, lengths), clip_belief), -1);
  const Weights own = weights.under("mask.semantic.");
  if (slots < 2) return factor_of(g, c, own, relevance, "");
  const Value sharpness = g.scalar(softplus_of(own, "sharpness"));
  const Value profiles =
      softmax(g, mul(g, classes.cosines(t.means, t.mean_lengths), sharpness), -1);
  const Value said = unsqueeze(g, redundancy(g, slots, relevance, profiles), 2);
  return factor_of(g, c, own, relevance, said);
}

}  // namespace

Value soft_mask(GraphBuilder& g, const core::AdaToskConfig& c, const Weights& weights,
                const Value& tokens) {
  constexpr float kLeastLog = -1e4F;  // 0 to every float, as in the engine
  g.enter("mask");
  const Tokens t = look_at(g, c, weights, tokens);
  Value log_mask;
  if (c.agnostic) log_mask = agnostic(g, c, weights.under("mask.agnostic."), t);
  if (c.semantic) {
    const Value log_semantic = semantic(g, c, weights, t, log_mask);
    log_mask = log_mask.empty() ? log_semantic : add(g, log_mask, log_semantic);
  }
  g.enter("");
  return larger(g, log_mask, g.scalar(kLeastLog));
}

}  // namespace mien::exporting
