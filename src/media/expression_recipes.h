// Which action units an expression pulls, and how it comes and goes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/rng.h"
#include "media/face_model.h"

namespace mien::media {

// "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt": the order
// of FERPlus.
std::span<const std::string_view> expression_names();

// The units at the height of an expression, by the prototypes of EMFACS (Friesen and Ekman, 1983):
// happiness 6+12(+25, 26), surprise 1+2+5+26(+25), sadness 1+4+15, anger 4+5+7+23, disgust
// 9(+4, 15, 25), fear 1+2+4+5+20+25(+26), contempt 12 on one side, neutral nearly nothing. Each
// unit varies in strength, those in brackets may be absent. An unknown name is neutral.
ActionUnits random_apex(std::string_view expression, core::Rng& rng);

// The rise, height and fall of an expression as shares of the clip, 0..1: nothing before `onset`,
// all of `strength` between `apex` and `offset`, nothing again after `end`.
struct Timeline {
  double onset = 0.1;
  double apex = 0.3;
  double offset = 0.7;
  double end = 0.9;
  double strength = 1.0;  // 0..1
};

// Full at the middle of the clip, whatever the draw.
Timeline random_timeline(core::Rng& rng);

// The intensity 0..1 at that share of the clip; rises and falls with a smooth start and stop.
double intensity_at(const Timeline& timeline, double share);

// What a face does during a clip, as a function of time.
class Performance {
 public:
  struct Moment {
    ActionUnits units;
    HeadPose pose;
    double intensity = 0;  // of the expression, 0..1; always 0 for neutral
  };

  // `home` is where the head is on the whole; it sways about it. `length_s` is that of the clip.
  Performance(std::string_view expression, const HeadPose& home, double length_s,
              std::uint64_t seed);

  // The state at that time, 0 <= time_s <= length_s.
  Moment at(double time_s) const;

 private:
  struct Sway {
    double reach, hertz, phase;
    double at(double time_s) const;
  };

  double blink_at(double time_s) const;

  ActionUnits apex_;
  Timeline timeline_;
  HeadPose home_;
  double length_s_;
  bool neutral_;
  std::array<double, kActionUnits.size()> lag_{};   // of each unit, shares of the clip
  std::array<Sway, kActionUnits.size()> tremor_{};  // small movement of each unit
  std::array<Sway, 8> head_{};                      // yaw, pitch, roll, x, y, size, gaze x, gaze y
  double first_blink_s_ = 0, blink_every_s_ = 4;
};

}  // namespace mien::media
