// How well a soft mask over a clip's tokens finds the moment that counts, where the truth is known:
// clips whose expression has a true intensity in every frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "mien/result.hpp"

namespace mien::report {

// A frame is one of the apex when its intensity is at least this share of the clip's largest.
inline constexpr double kApexShare = 0.9;

// A way through a clip that a model saw. Tokens lie in the order [slot, place], slots by time.
struct MaskView {
  std::span<const float> mask{};         // [slots * places], 0..1
  std::span<const std::uint8_t> kept{};  // 1 where the token was computed to the end, else 0
  // Of the frames that the view has, by time, 0..1: a whole number of frames for every slot.
  std::span<const double> intensity{};
};

// Over clips. What could not be computed is NaN.
struct MaskQuality {
  std::int64_t clips = 0;        // that were counted
  std::int64_t apex_frames = 0;  // in their views

  // Spearman's rho between the mask's mean over each slot and the mean of the true intensity over
  // its frames: its mean over the clips.
  double rank_correlation = std::numeric_limits<double>::quiet_NaN();

  // The same for a mask that never looks: of every view the mean of all views' masks, slot by slot.
  // What of rank_correlation comes from where in a clip moments are wont to be.
  double rank_correlation_place = std::numeric_limits<double>::quiet_NaN();

  // The share of the apex frames that are in slots of which at least an even share of the kept
  // tokens was kept: kept in the slot >= kept in all / slots. That one token of a slot is kept says
  // nothing, since nearly every slot has one; and keeping evenly, without looking, keeps slots by
  // chance: `apex_kept_random` is what dropping tokens at random gives by the same measure, as
  // expected (the hypergeometric distribution), near 1/2 for slots of many places. Both are 1 when
  // every token is kept.
  double apex_kept = std::numeric_limits<double>::quiet_NaN();
  double apex_kept_random = std::numeric_limits<double>::quiet_NaN();
};

// Adds clips up.
class MaskScores {
 public:
  // The views of one clip, each with `slots` slots, and the largest intensity of the whole clip.
  // A clip counts when in one of its views or more the intensity differs between slots: the others
  // (of neutral clips all) have no order that a mask could find. The clip's rho is the mean over
  // those views; one whose mask is the same in all slots has found nothing, 0. Errors
  // kInvalidArgument: sizes that do not fit each other, fewer than two slots, a view without a
  // token kept, NaN, another number of slots than before.
  Status add(std::span<const MaskView> views, std::size_t slots, double peak);

  MaskQuality quality() const;

 private:
  double place_correlation() const;

  std::int64_t clips_ = 0;
  std::int64_t apex_frames_ = 0;
  std::int64_t kept_frames_ = 0;
  double rho_sum_ = 0.0;
  double chance_sum_ = 0.0;       // of every apex frame
  std::vector<double> mask_sum_;  // [slots], over the views that count
  // Per clip, of its views that count: the true intensity of each slot.
  std::vector<std::vector<std::vector<double>>> truths_;
};

// The probability that at least `least` of a slot's `places` tokens are among the `kept` of all
// `tokens` when these are drawn at random. 0 <= kept <= tokens, 0 <= places <= tokens.
double chance_of_keeping(std::int64_t tokens, std::int64_t kept, std::int64_t places,
                         std::int64_t least);

}  // namespace mien::report
