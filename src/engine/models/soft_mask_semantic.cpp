// The class-semantic factor: what speaks for the clip's class, and has not been said.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/kernels/row_ops.h"
#include "engine/models/soft_mask.h"
#include "engine/models/soft_mask_math.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

// No class has been said before the first slot: it is given the mean of the others.
void fill_first(std::span<double> slots) {
  const auto others = slots.subspan(1);
  slots[0] = others.empty() ? 0.0
                            : std::accumulate(others.begin(), others.end(), 0.0) /
                                  static_cast<double>(others.size());
}

}  // namespace

// e of the spec. Turns y into h; `always` is room for [P, D].
void SoftMask::find_relevance(float* y, float* always) {
  const SoftMaskWeights& w = *weights_;
  const std::size_t width = w.width();
  const std::size_t places = w.shape.places();
  const std::size_t slots = w.shape.slots;
  const std::size_t grain = kMaskGrain / (width * belief_.size() * slots) + 1;
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

}  // namespace mien::engine
