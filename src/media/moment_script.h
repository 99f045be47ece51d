// What happens when in a composed clip: the course of the expression, what distracts from it, and
// how camera, light and hands move. Drawn at random, without any picture. Inside this folder only.
//
// Only + - * / and square roots are used here and where frames are rendered: those round alike
// everywhere, while sin, exp and log differ between C libraries, and with them the clips would.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace mien::media {

// A camera's view of the aligned face in one frame. The face's square is 0..1 on both axes.
struct CameraPose {
  double shift_x = 0;  // of the view's centre, in sides of the square
  double shift_y = 0;
  double scale = 1;     // sides of the square that the view covers
  double half_tan = 0;  // tangent of half the roll
};

// value -> gain * (1 + tilt_x * (2x - 1) + tilt_y * (2y - 1)) * value + bias, for values and
// places of 0..1.
struct FrameLight {
  double gain = 1;
  double bias = 0;
  double tilt_x = 0;
  double tilt_y = 0;
};

// Something before the face: a box, or a palm with four fingers. Places and sizes are shares of the
// frame's side.
struct Occluder {
  int first = 0;  // frames first..last
  int last = -1;
  bool hand = false;
  double x = 0.5;  // centre in frame `first`
  double y = 0.5;
  double step_x = 0;  // per frame
  double step_y = 0;
  double half_width = 0.2;
  double half_height = 0.2;
  double grey = 0.5;
};

// Another face that shines through for a few frames.
struct Distraction {
  int first = 0;
  int last = -1;
  double weight = 0;  // share of the other face, below kMostDistraction
};

// The weakest peak of a moment, and the strongest distraction: far enough apart to tell them.
inline constexpr double kLeastPeak = 0.75;
inline constexpr double kMostDistraction = 0.4;

struct MomentScript {
  // Per frame: the share of the target face. Starts and ends at 0, rises, stays at its largest
  // value on apex_first..apex_last and falls. All 0 when nothing arises (apex_last < apex_first).
  std::vector<float> curve;
  int apex_first = 0;
  int apex_last = -1;
  std::vector<Distraction> distractions;  // at most two, in frames where the curve is 0, never at 0
  std::vector<CameraPose> camera;
  std::vector<FrameLight> light;
  double tone = 0;   // value + tone * value * (1 - value): exposure of the whole clip
  double noise = 0;  // standard deviation, of the full range
  bool mirrored = false;
  Occluder occluder;  // never all of the apex

  bool occluded(int frame) const { return frame >= occluder.first && frame <= occluder.last; }
};

inline constexpr int kLeastMomentFrames = 8;

// frames >= kLeastMomentFrames. `arises`: whether the target face appears at all.
MomentScript draw_script(int frames, bool arises, core::Rng& rng);

}  // namespace mien::media
