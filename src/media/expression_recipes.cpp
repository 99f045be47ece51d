#include "media/expression_recipes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mien::media {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"neutral", "happiness", "surprise", "sadness",
                                                    "anger",   "disgust",   "fear",     "contempt"};

// One unit of a recipe: how strong at least and at most, and how often it takes part.
struct Ingredient {
  std::string_view expression;
  double ActionUnits::*unit;
  double least, most;
  double chance = 1.0;
};

constexpr std::array kRecipes = {Ingredient{"happiness", &ActionUnits::au6, 0.55, 1.0},
                                 Ingredient{"happiness", &ActionUnits::au12, 0.75, 1.0},
                                 Ingredient{"happiness", &ActionUnits::au25, 0.5, 1.0, 0.65},
                                 Ingredient{"happiness", &ActionUnits::au26, 0.1, 0.35, 0.25},
                                 Ingredient{"surprise", &ActionUnits::au1, 0.75, 1.0},
                                 Ingredient{"surprise", &ActionUnits::au2, 0.75, 1.0},
                                 Ingredient{"surprise", &ActionUnits::au5, 0.6, 1.0},
                                 Ingredient{"surprise", &ActionUnits::au26, 0.5, 1.0},
                                 Ingredient{"surprise", &ActionUnits::au25, 0.2, 0.7, 0.8},
                                 Ingredient{"sadness", &ActionUnits::au1, 0.7, 1.0},
                                 Ingredient{"sadness", &ActionUnits::au4, 0.4, 0.75},
                                 Ingredient{"sadness", &ActionUnits::au15, 0.75, 1.0},
                                 Ingredient{"anger", &ActionUnits::au4, 0.8, 1.0},
                                 Ingredient{"anger", &ActionUnits::au5, 0.2, 0.6},
                                 Ingredient{"anger", &ActionUnits::au7, 0.6, 1.0},
                                 Ingredient{"anger", &ActionUnits::au23, 0.7, 1.0},
                                 Ingredient{"disgust", &ActionUnits::au9, 0.8, 1.0},
                                 Ingredient{"disgust", &ActionUnits::au4, 0.2, 0.5, 0.6},
                                 Ingredient{"disgust", &ActionUnits::au15, 0.3, 0.7, 0.8},
                                 Ingredient{"disgust", &ActionUnits::au25, 0.3, 0.7, 0.5},
                                 Ingredient{"fear", &ActionUnits::au1, 0.7, 1.0},
                                 Ingredient{"fear", &ActionUnits::au2, 0.3, 0.6},
                                 Ingredient{"fear", &ActionUnits::au4, 0.4, 0.7},
                                 Ingredient{"fear", &ActionUnits::au5, 0.7, 1.0},
                                 Ingredient{"fear", &ActionUnits::au20, 0.7, 1.0},
                                 Ingredient{"fear", &ActionUnits::au25, 0.4, 0.9},
                                 Ingredient{"fear", &ActionUnits::au26, 0.1, 0.4, 0.6},
                                 Ingredient{"contempt", &ActionUnits::au12, 0.6, 0.95}};

double smooth(double t) {
  t = std::clamp(t, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

}  // namespace

std::span<const std::string_view> expression_names() {
  return kNames;
}

ActionUnits random_apex(std::string_view expression, core::Rng& rng) {
  ActionUnits units;
  for (const Ingredient& part : kRecipes) {
    if (part.expression != expression) continue;
    const double strength = rng.uniform(part.least, part.most);
    if (rng.chance(part.chance)) units.*part.unit = strength;
  }
  if (expression == "contempt") units.side = rng.chance(0.5) ? 1 : -1;
  return units;
}

Timeline random_timeline(core::Rng& rng) {
  Timeline t;
  t.onset = rng.uniform(0.04, 0.22);
  t.apex = t.onset + rng.uniform(0.10, 0.25);
  t.offset = rng.uniform(0.55, 0.80);
  t.end = t.offset + rng.uniform(0.10, 0.25);
  t.strength = rng.uniform(0.65, 1.0);
  return t;
}

double intensity_at(const Timeline& t, double share) {
  const double rise = smooth((share - t.onset) / std::max(t.apex - t.onset, 1e-6));
  const double fall = smooth((share - t.offset) / std::max(t.end - t.offset, 1e-6));
  return t.strength * std::clamp(rise - fall, 0.0, 1.0);
}

double Performance::Sway::at(double time_s) const {
  return reach * std::sin(2 * std::numbers::pi * hertz * time_s + phase);
}

Performance::Performance(std::string_view expression, const HeadPose& home, double length_s,
                         std::uint64_t seed)
    : home_(home), length_s_(std::max(length_s, 1e-6)) {
  core::Rng rng(seed);
  const auto known = std::find(kNames.begin(), kNames.end(), expression);
  neutral_ = known == kNames.end() || expression == kNames.front();
  apex_ = random_apex(expression, rng);
  timeline_ = random_timeline(rng);
  for (double& lag : lag_) lag = rng.uniform(0, 0.03);
  auto sway = [&rng](double reach) {
    return Sway{reach * rng.uniform(0.3, 1.0), rng.uniform(0.15, 0.6),
                rng.uniform(0, 2 * std::numbers::pi)};
  };
  for (Sway& tremor : tremor_) tremor = sway(0.04);
  // Degrees for the turns, face units for the place, a share for the size.
  const std::array<double, 8> reach = {6, 4, 3, 0.06, 0.04, 0.02, 0.7, 0.3};
  for (std::size_t k = 0; k < head_.size(); ++k) head_[k] = sway(reach[k]);
  first_blink_s_ = rng.uniform(0.2, 4.0);
  blink_every_s_ = rng.uniform(2.0, 5.0);
}

// A blink shuts the eyes for a moment; about 0.25 s from open to open.
double Performance::blink_at(double time_s) const {
  constexpr double kHalf_s = 0.13;
  if (time_s < first_blink_s_ - kHalf_s) return 0;
  const double beats = std::round((time_s - first_blink_s_) / blink_every_s_);
  const double away = std::abs(time_s - first_blink_s_ - std::max(beats, 0.0) * blink_every_s_);
  return smooth(1.25 * (1 - away / kHalf_s));
}

Performance::Moment Performance::at(double time_s) const {
  const double share = time_s / length_s_;
  Moment now;
  now.intensity = neutral_ ? 0 : intensity_at(timeline_, share);
  for (std::size_t k = 0; k < kActionUnits.size(); ++k) {
    const auto unit = kActionUnits[k].value;
    const double pulled = apex_.*unit * intensity_at(timeline_, share - lag_[k]);
    // Tremor moves what a resting face moves; jaw and lips would flicker.
    const bool still = kActionUnits[k].number >= 20 || kActionUnits[k].number == 9;
    const double tremor = still ? 0 : tremor_[k].at(time_s);
    now.units.*unit = std::clamp(pulled + tremor, 0.0, 1.0);
  }
  now.units.side = apex_.side;
  now.units.blink = blink_at(time_s);
  now.pose = home_;
  now.pose.yaw += head_[0].at(time_s);
  now.pose.pitch += head_[1].at(time_s);
  now.pose.roll += head_[2].at(time_s);
  now.pose.x += home_.scale * head_[3].at(time_s);
  now.pose.y += home_.scale * head_[4].at(time_s);
  now.pose.scale *= 1 + head_[5].at(time_s);
  now.pose.gaze_x = head_[6].at(time_s);
  now.pose.gaze_y = head_[7].at(time_s);
  return now;
}

}  // namespace mien::media
