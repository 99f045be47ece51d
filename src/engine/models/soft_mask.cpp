#include "engine/models/soft_mask.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/kernels/row_ops.h"
#include "engine/kernels/vector_ops.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

// Multiply-accumulates that are worth waking a thread for.
constexpr std::size_t kGrain = 32768;

// A log m below this is 0 to every float. Broken weights give NaN, by which no tokens could be put
// in order.
constexpr double kLeastLog = -1e4;

double log_sigmoid(double x) {
  return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x)));
}

double cosine(const float* a, float a_length, const float* b, float b_length, std::size_t width) {
  return static_cast<double>(row_dot(a, b, width) /
                             std::max(a_length * b_length, core::kMaskNormFloor));
}

void standardise(std::span<double> x) {
  const auto n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double variance = 0.0;
  for (const double v : x) variance += (v - mean) * (v - mean) / n;
  constexpr double kFloor{core::kMaskStdFloor};
  const double scale = 1.0 / std::sqrt(variance + kFloor * kFloor);
  for (double& v : x) v = (v - mean) * scale;
}

void softmax(std::span<double> x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0.0;
  for (double& v : x) sum += v = std::exp(v - top);
  for (double& v : x) v /= sum;
}

// No class has been said before the first slot: it is given the mean of the others.
void fill_first(std::span<double> slots) {
  const auto others = slots.subspan(1);
  slots[0] = others.empty() ? 0.0
                            : std::accumulate(others.begin(), others.end(), 0.0) /
                                  static_cast<double>(others.size());
}

}  // namespace

SoftMask::SoftMask(const SoftMaskWeights& weights, Arena& arena)
    : weights_(&weights),
      normed_(arena.reserve_for<float>(weights.shape.tokens() * weights.width())),
      past_(arena.reserve_for<float>(weights.shape.places() * weights.width())),
      lengths_(weights.shape.tokens()),
      means_(weights.shape.slots * weights.width()),
      mean_lengths_(weights.shape.slots),
      scores_(weights.shape.tokens()),
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
    if (!w.direction.empty()) follow_direction(y);
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

// c of the spec.
void SoftMask::find_change(const float* y) {
  const std::size_t width = weights_->width();
  const std::size_t places = weights_->shape.places();
  const std::size_t tokens = weights_->shape.tokens();
  const auto change = [&](std::size_t i, std::size_t j) {
    return 0.5 * (1.0 - cosine(y + i * width, lengths_[i], y + j * width, lengths_[j], width));
  };
  parallel_ranges(tokens, kGrain / width + 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      const bool before = i >= places;
      const bool after = i + places < tokens;
      const double sum =
          (before ? change(i, i - places) : 0.0) + (after ? change(i, i + places) : 0.0);
      scores_[i] = before && after ? 0.5 * sum : sum;
    }
  });
}

// a of the spec: R, weighed, is taken off c. `past` is room for [P, D].
void SoftMask::take_resemblance(const float* y, float* past) {
  const std::size_t width = weights_->width();
  const std::size_t places = weights_->shape.places();
  const std::size_t slots = weights_->shape.slots;
  const double repeat = weights_->agnostic->repeat;
  parallel_ranges(
      places, kGrain / (width * slots) + 1, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t p = begin; p < end; ++p) {
          float* sum = past + p * width;
          std::fill(sum, sum + width, 0.0F);
          scores_[p] -= repeat;  // R of the first slot is 1
          for (std::size_t s = 1; s < slots; ++s) {
            const float* last = y + ((s - 1) * places + p) * width;
            for (std::size_t i = 0; i < width; ++i) sum[i] += last[i];
            float length = 0.0F;
            row_lengths(sum, 1, width, &length);
            // The cosine with the mean of s tokens; in that with their sum the floor counts s-fold.
            const float share = 1.0F / static_cast<float>(s);
            const std::size_t token = s * places + p;
            const float product = row_dot(y + token * width, sum, width) * share;
            const float lengths = lengths_[token] * length * share;
            scores_[token] -=
                repeat * static_cast<double>(product / std::max(lengths, core::kMaskNormFloor));
          }
        }
      });
}

// h.direction of the spec is added to a: y.direction less its mean over the place.
void SoftMask::follow_direction(const float* y) {
  const float* direction = weights_->direction.data();
  const std::size_t width = weights_->width();
  const std::size_t places = weights_->shape.places();
  const std::size_t tokens = weights_->shape.tokens();
  for (std::size_t p = 0; p < places; ++p) {
    double sum = 0.0;
    for (std::size_t i = p; i < tokens; i += places) {
      const auto along = static_cast<double>(row_dot(y + i * width, direction, width));
      scores_[i] += along;
      sum += along;
    }
    const double mean = sum / static_cast<double>(weights_->shape.slots);
    for (std::size_t i = p; i < tokens; i += places) scores_[i] -= mean;
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

// e of the spec. Turns y into h; `always` is room for [P, D].
void SoftMask::find_relevance(float* y, float* always) {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t places = w.shape.places();
  const std::size_t slots = w.shape.slots;
  const std::size_t grain = kGrain / (width * belief_.size() * slots) + 1;
  parallel_ranges(places, grain, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t p = begin; p < end; ++p) {
      float* mean = always + p * width;
      std::fill(mean, mean + width, 0.0F);
      for (std::size_t s = 0; s < slots; ++s) {
        const float* row = y + (s * places + p) * width;
        for (std::size_t i = 0; i < width; ++i) mean[i] += row[i];
      }
      for (std::size_t i = 0; i < width; ++i) mean[i] /= static_cast<float>(slots);
      for (std::size_t s = 0; s < slots; ++s) {
        const std::size_t token = s * places + p;
        subtract_row(y + token * width, 1, mean, width);
        scores_[token] = relevance(y + token * width, core::kMaskStill * lengths_[token]);
      }
    }
  });
}

// e of a token that moved by `moved`; `still` is the least length that it counts with.
double SoftMask::relevance(const float* moved, float still) const {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  float length = 0.0F;
  row_lengths(moved, 1, width, &length);
  length = std::max(length, still);
  double sum = 0.0;
  for (std::size_t c = 0; c < belief_.size(); ++c) {
    sum += belief_[c] *
           cosine(moved, length, w.prototypes.data() + c * width, w.prototype_lengths[c], width);
  }
  return sum;
}

// q of the spec.
void SoftMask::profile_slot(std::size_t slot, double* profile) const {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  for (std::size_t c = 0; c < belief_.size(); ++c) {
    profile[c] =
        w.sharpness * cosine(means_.data() + slot * width, mean_lengths_[slot],
                             w.prototypes.data() + c * width, w.prototype_lengths[c], width);
  }
  softmax({profile, belief_.size()});
}

// k, then d and b of the spec: d, weighed, is taken off e.
void SoftMask::take_redundancy() {
  const std::size_t places = weights_->shape.places();
  for (std::size_t s = 0; s < keep_.size(); ++s) {
    const auto first = scores_.begin() + static_cast<std::ptrdiff_t>(s * places);
    keep_[s] = std::accumulate(first, first + static_cast<std::ptrdiff_t>(places), 0.0) /
               static_cast<double>(places);
  }
  standardise(keep_);
  std::fill(seen_.begin(), seen_.end(), 0.0);
  double kept = 0.0;
  for (std::size_t s = 0; s < keep_.size(); ++s) {
    profile_slot(s, profile_.data());
    if (s > 0) {
      double product = 0.0;
      double own = 0.0;
      double past = 0.0;
      for (std::size_t c = 0; c < profile_.size(); ++c) {
        const double mean = seen_[c] / kept;
        product += profile_[c] * mean;
        own += profile_[c] * profile_[c];
        past += mean * mean;
      }
      constexpr double kFloor{core::kMaskNormFloor};
      redundancy_[s] = product / std::max(std::sqrt(own * past), kFloor);
    }
    const double weight = std::exp(log_sigmoid(keep_[s]));
    for (std::size_t c = 0; c < profile_.size(); ++c) seen_[c] += weight * profile_[c];
    kept += weight;
  }
  fill_first(redundancy_);
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    scores_[i] -= weights_->semantic->repeat * redundancy_[i / places];
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
