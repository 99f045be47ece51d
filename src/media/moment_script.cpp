#include "media/moment_script.h"

#include <algorithm>

namespace mien::media {
namespace {

constexpr double kFaintest = 0.02;  // less of an expression is none

double smooth(double x) {
  return x * x * (3.0 - 2.0 * x);
}

// A monotonous bend of 0..1 onto itself; |bend| < 1.
double warp(double x, double bend) {
  return x + bend * x * (1.0 - x);
}

// The phases of a moment, in frames.
struct Phases {
  double start = 0;
  double onset = 0;
  double apex = 0;
  double offset = 0;
  double onset_bend = 0;
  double offset_bend = 0;
  double peak = 1;

  double at(double time) const {
    if (time < start) return 0.0;
    if (time < start + onset) return peak * smooth(warp((time - start) / onset, onset_bend));
    const double falls = start + onset + apex;
    if (time <= falls) return peak;
    if (time >= falls + offset) return 0.0;
    return peak * smooth(warp(1.0 - (time - falls) / offset, offset_bend));
  }
};

Phases draw_phases(int frames, core::Rng& rng) {
  Phases p;
  // Half a frame is kept free at both ends, so that the first and the last frame are neutral.
  const double room = frames - 2.0;
  const double length = std::clamp(frames * rng.uniform(0.35, 0.8), 4.0, room);
  p.start = 0.5 + (room - length) * rng.uniform();
  const double onset_part = rng.uniform(0.25, 0.5);
  const double offset_part = rng.uniform(0.25, 0.45);
  // Of at least one frame's length, so that one frame at least shows the peak.
  p.apex = std::max(1.0, length * (1.0 - onset_part - offset_part));
  const double rest = length - p.apex;
  p.onset = rest * onset_part / (onset_part + offset_part);
  p.offset = rest - p.onset;
  p.onset_bend = rng.uniform(-0.8, 0.8);
  p.offset_bend = rng.uniform(-0.8, 0.8);
  p.peak = rng.uniform(kLeastPeak, 1.0);
  return p;
}

void draw_curve(MomentScript& script, int frames, core::Rng& rng) {
  const Phases phases = draw_phases(frames, rng);
  const double falls = phases.start + phases.onset + phases.apex;
  script.apex_first = frames;
  for (int t = 0; t < frames; ++t) {
    const double value = phases.at(t);
    script.curve[static_cast<std::size_t>(t)] =
        value < kFaintest ? 0.0F : static_cast<float>(value);
    if (t >= phases.start + phases.onset && t <= falls) {
      script.apex_first = std::min(script.apex_first, t);
      script.apex_last = t;
    }
  }
}

void draw_distractions(MomentScript& script, int frames, core::Rng& rng) {
  const auto wanted = static_cast<int>(rng.below(3));
  for (int n = 0; n < wanted; ++n) {
    Distraction d;
    const auto longest = static_cast<std::uint64_t>(std::max(2, frames / 8));
    const auto length = static_cast<int>(1 + rng.below(longest));
    d.first = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(frames - 1)));
    d.last = std::min(d.first + length, frames) - 1;
    d.weight = rng.uniform(0.15, kMostDistraction);
    bool free = true;
    for (int t = d.first; t <= d.last; ++t) {
      free = free && !(script.curve[static_cast<std::size_t>(t)] > 0.0F);
      for (const Distraction& other : script.distractions) {
        free = free && (t < other.first || t > other.last);
      }
    }
    if (free) script.distractions.push_back(d);
  }
}

// A value that starts somewhere, drifts, and trembles.
class Path {
 public:
  Path(double start, double drift, double tremble, core::Rng& rng)
      : tremble_(tremble), start_(rng.uniform(-start, start)), drift_(rng.uniform(-drift, drift)) {}

  // `when` is 0 at the first frame and 1 at the last.
  double at(double when, core::Rng& rng) const {
    return start_ + drift_ * (when - 0.5) + rng.uniform(-tremble_, tremble_);
  }

 private:
  double tremble_;
  double start_;
  double drift_;
};

// Ranges as the stills' augmentation has them, so that a still and a clip look alike.
void draw_camera(MomentScript& script, int frames, core::Rng& rng) {
  script.mirrored = rng.chance(0.5);
  const Path x(0.05, 0.08, 0.004, rng);
  const Path y(0.05, 0.08, 0.004, rng);
  const Path scale(0.1, 0.1, 0.004, rng);
  const Path roll(0.07, 0.06, 0.003, rng);  // half the angle's tangent: 8 and 3 degrees
  for (int t = 0; t < frames; ++t) {
    const double when = static_cast<double>(t) / (frames - 1);
    CameraPose pose;
    pose.shift_x = x.at(when, rng);
    pose.shift_y = y.at(when, rng);
    pose.scale = 1.0 + scale.at(when, rng);
    pose.half_tan = roll.at(when, rng);
    script.camera.push_back(pose);
  }
}

void draw_light(MomentScript& script, int frames, core::Rng& rng) {
  script.tone = rng.uniform(-0.5, 0.5);
  script.noise = rng.uniform(0.0, 0.03);
  const Path gain(0.2, 0.2, 0.01, rng);
  const Path bias(0.08, 0.06, 0.0, rng);
  const Path tilt_x(0.2, 0.2, 0.0, rng);
  const Path tilt_y(0.2, 0.2, 0.0, rng);
  for (int t = 0; t < frames; ++t) {
    const double when = static_cast<double>(t) / (frames - 1);
    FrameLight light;
    light.gain = 1.0 + gain.at(when, rng);
    light.bias = bias.at(when, rng);
    light.tilt_x = tilt_x.at(when, rng);
    light.tilt_y = tilt_y.at(when, rng);
    script.light.push_back(light);
  }
}

// Shortens the run of hidden frames so that one frame of the apex stays out of it.
void spare_apex(MomentScript& script, core::Rng& rng) {
  Occluder& o = script.occluder;
  if (script.apex_last < script.apex_first) return;
  const auto apex_frames = static_cast<std::uint64_t>(script.apex_last - script.apex_first + 1);
  const int spared = script.apex_first + static_cast<int>(rng.below(apex_frames));
  if (spared < o.first || spared > o.last) return;
  if (spared - o.first >= o.last - spared) {
    o.last = spared - 1;
  } else {
    o.first = spared + 1;
  }
}

void draw_occluder(MomentScript& script, int frames, core::Rng& rng) {
  if (!rng.chance(0.4)) return;
  Occluder& o = script.occluder;
  o.first = static_cast<int>(rng.below(static_cast<std::uint64_t>(frames)));
  const auto length =
      static_cast<int>(1 + rng.below(static_cast<std::uint64_t>(std::max(2, frames / 4))));
  o.last = std::min(o.first + length, frames) - 1;
  o.hand = rng.chance(0.5);
  o.x = rng.uniform(0.25, 0.75);
  o.y = rng.uniform(0.3, 0.85);
  o.step_x = rng.uniform(-0.02, 0.02);
  o.step_y = rng.uniform(-0.02, 0.02);
  o.half_width = rng.uniform(0.13, 0.25);
  o.half_height = rng.uniform(0.13, 0.25);
  o.grey = rng.uniform(0.15, 0.85);
  spare_apex(script, rng);
}

}  // namespace

MomentScript draw_script(int frames, bool arises, core::Rng& rng) {
  MomentScript script;
  script.curve.assign(static_cast<std::size_t>(frames), 0.0F);
  if (arises) draw_curve(script, frames, rng);
  draw_distractions(script, frames, rng);
  draw_camera(script, frames, rng);
  draw_light(script, frames, rng);
  draw_occluder(script, frames, rng);
  return script;
}

}  // namespace mien::media
