// The formulas are those of core/adatosk_spec.h, and so are the letters.
#include "engine/models/soft_mask.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels/row_ops.h"
#include "engine/kernels/vector_ops.h"
#include "engine/models/soft_mask_math.h"

namespace mien::engine {
namespace {

// A log m below this is 0 to every float. Broken weights give NaN, by which no tokens could be put
// in order.
constexpr double kLeastLog = -1e4;

}  // namespace

SoftMask::SoftMask(const SoftMaskWeights& weights, Arena& arena)
    : weights_(&weights),
      normed_(arena.reserve_for<float>(weights.shape.tokens() * weights.width())),
      past_(arena.reserve_for<float>(weights.shape.places() * weights.width())),
      hidden_(arena.reserve_for<float>(weights.shape.tokens() * weights.readout.size())),
      lengths_(weights.shape.tokens()),
      means_(weights.shape.slots * weights.width()),
      mean_lengths_(weights.shape.slots),
      scores_(weights.shape.tokens()),
      shown_(weights.readout.empty() ? 0 : weights.shape.tokens()),
      redundancy_(weights.shape.slots),
      log_agnostic_(weights.agnostic ? weights.shape.tokens() : 0),
      log_semantic_(weights.semantic ? weights.shape.tokens() : 0),
      gains_(weights.shape.tokens()),
      pooled_(weights.width()),
      aux_logits_(weights.aux_head.classes()),
      belief_(weights.aux_head.classes()),
      keep_(weights.shape.slots),
      profile_(weights.aux_head.classes()),
      seen_(weights.aux_head.classes()),
      log_mask_(weights.shape.tokens()) {}

void SoftMask::run(const Arena& arena, const float* tokens, Tap* tap) {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t places = w.shape.places();
  auto* y = arena.at<float>(normed_);
  layer_norm(tokens, plain_rows(w.shape.tokens(), width), w.norm.params(), ActKind::kF32, y);
  for (std::size_t s = 0; s < w.shape.slots; ++s) {
    float* slot = y + s * places * width;
    subtract_row(slot, places, w.slot_mean.data() + s * width, width);
    weighted_mean(slot, nullptr, places, width, means_.data() + s * width);
  }
  row_lengths(y, w.shape.tokens(), width, lengths_.data());
  row_lengths(means_.data(), w.shape.slots, width, mean_lengths_.data());
  if (w.agnostic) {
    find_change(y);
    take_resemblance(y, arena.at<float>(past_));
    if (!w.hidden.empty()) {
      find_shown(arena, y);
      add_lasting();
    }
    apply(*w.agnostic, log_agnostic_);
    put(tap, "mask.agnostic", log_agnostic_);
  }
  classify(y, tap);
  if (w.semantic) {
    find_relevance(y, arena.at<float>(past_));
    take_redundancy();
    apply(*w.semantic, log_semantic_);
    put(tap, "mask.semantic", log_semantic_);
  }
  for (std::size_t i = 0; i < log_mask_.size(); ++i) {
    const double sum =
        (w.agnostic ? log_agnostic_[i] : 0.0) + (w.semantic ? log_semantic_[i] : 0.0);
    log_mask_[i] = static_cast<float>(sum >= kLeastLog ? sum : kLeastLog);  // NaN is not
  }
}

// aux of the spec. Its mean is over zn, which is y plus the mean of its slot.
void SoftMask::classify(const float* y, Tap* tap) {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t places = w.shape.places();
  std::fill(gains_.begin(), gains_.end(), 1.0F);
  if (w.agnostic) {
    const double top = *std::max_element(log_agnostic_.begin(), log_agnostic_.end());
    for (std::size_t i = 0; i < gains_.size(); ++i) {
      gains_[i] = static_cast<float>(std::exp(log_agnostic_[i] - top));
    }
  }
  weighted_mean(y, gains_.data(), w.shape.tokens(), width, pooled_.data());
  const auto sum = [&](std::size_t begin, std::size_t end) {
    double total = 0.0;
    for (std::size_t i = begin; i < end; ++i) total += static_cast<double>(gains_[i]);
    return total;
  };
  const double all = sum(0, gains_.size());
  for (std::size_t s = 0; s < w.shape.slots; ++s) {
    const auto share = static_cast<float>(sum(s * places, (s + 1) * places) / all);
    const float* mean = w.slot_mean.data() + s * width;
    for (std::size_t i = 0; i < width; ++i) pooled_[i] += share * mean[i];
  }
  classify_feature(w.aux_head, pooled_.data(), aux_logits_.data());
  for (std::size_t c = 0; c < belief_.size(); ++c) belief_[c] = static_cast<double>(aux_logits_[c]);
  if (w.background >= 0) {
    belief_[static_cast<std::size_t>(w.background)] = -std::numeric_limits<double>::infinity();
  }
  softmax(belief_);
  if (tap != nullptr) {
    tap->put("aux_logits", aux_logits_, {1, static_cast<std::int64_t>(aux_logits_.size())});
  }
}

// From the tokens' scores to the logarithm of the factor.
void SoftMask::apply(const SoftMaskWeights::Factor& factor, std::vector<double>& logs) {
  standardise(scores_);
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    logs[i] = log_sigmoid(factor.scale * scores_[i] + factor.offset);
  }
}

void SoftMask::put(Tap* tap, const char* name, const std::vector<double>& logs) const {
  if (tap == nullptr) return;
  std::vector<float> factor;
  factor.reserve(logs.size());
  for (const double v : logs) factor.push_back(static_cast<float>(std::exp(v)));
  const auto grid = static_cast<std::int64_t>(weights_->shape.grid);
  tap->put(name, factor, {1, static_cast<std::int64_t>(weights_->shape.slots), grid, grid});
}

void relative_weights(std::span<const float> logs, std::span<float> weights) {
  const float top = *std::max_element(logs.begin(), logs.end());
  for (std::size_t i = 0; i < logs.size(); ++i) weights[i] = std::exp(logs[i] - top);
}

}  // namespace mien::engine
