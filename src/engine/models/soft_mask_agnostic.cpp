// The class-agnostic factor: what changes, what has not been seen before, what shows.
#include <algorithm>

#include "engine/kernels/row_ops.h"
#include "engine/models/soft_mask.h"
#include "engine/models/soft_mask_math.h"
#include "engine/parallel.h"

namespace mien::engine {

// c of the spec.
void SoftMask::find_change(const float* y) {
  const std::size_t width = weights_->width();
  const std::size_t places = weights_->shape.places();
  const std::size_t tokens = weights_->shape.tokens();
  const auto change = [&](std::size_t i, std::size_t j) {
    return 0.5 * (1.0 - cosine(y + i * width, lengths_[i], y + j * width, lengths_[j], width));
  };
  parallel_ranges(tokens, kMaskGrain / width + 1, [&](std::size_t begin, std::size_t end, int) {
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
      places, kMaskGrain / (width * slots) + 1, [&](std::size_t begin, std::size_t end, int) {
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

// r(y) of the spec.
void SoftMask::find_shown(const Arena& arena, const float* y) {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t units = w.readout.size();
  auto* all = arena.at<float>(hidden_);
  const auto range = [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      float* hidden = all + i * units;
      std::copy(w.hidden_bias.begin(), w.hidden_bias.end(), hidden);
      add_weighted_rows(w.hidden.data(), y + i * width, width, units, hidden);
      for (std::size_t k = 0; k < units; ++k) hidden[k] = std::max(hidden[k], 0.0F);
      shown_[i] = static_cast<double>(row_dot(hidden, w.readout.data(), units));
    }
  };
  parallel_ranges(w.shape.tokens(), kMaskGrain / (width * units) + 1, range);
}

// r_s,p of the spec, less its mean over the place, is added to a.
void SoftMask::add_lasting() {
  const std::size_t places = weights_->shape.places();
  const std::size_t tokens = weights_->shape.tokens();
  const auto lasting = [&](std::size_t i) {
    double sum = 2.0 * shown_[i];
    double count = 2.0;
    for (const std::size_t beside : {i - places, i + places}) {  // before the first is beyond all
      if (beside >= tokens) continue;
      sum += shown_[beside];
      count += 1.0;
    }
    return sum / count;
  };
  for (std::size_t p = 0; p < places; ++p) {
    double mean = 0.0;
    for (std::size_t i = p; i < tokens; i += places) {
      const double r = lasting(i);
      scores_[i] += r;
      mean += r / static_cast<double>(weights_->shape.slots);
    }
    for (std::size_t i = p; i < tokens; i += places) scores_[i] -= mean;
  }
}

}  // namespace mien::engine
