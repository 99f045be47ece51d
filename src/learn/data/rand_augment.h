// RandAugment (Cubuk et al. 2019, arXiv 1909.13719) for clips, as the video recipes use it under
// the name rand-m7-n4-mstd0.5-inc1 (NOTES.md section 4): 15 operations, harder as the magnitude
// grows, each applied to all frames of a clip alike so that the motion survives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/data/rng.h"

namespace mien::learn {

// Sizes of a clip of 8-bit RGB frames [T, H, W, 3], contiguous; all > 0.
struct ClipShape {
  int frames = 0;
  int height = 0;
  int width = 0;

  std::size_t frame_bytes() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
  }
  std::size_t bytes() const { return frame_bytes() * static_cast<std::size_t>(frames); }
};

// The operations, in the order of the official list. They compute what Pillow 9 computes, to the
// bit; geometric ones sample bicubically (the recipes' train_interpolation) and fill what comes
// from outside the frame with grey 128 (the recipes pass no mean colour).
enum class AugmentOp {
  kAutoContrast,   // stretch each channel of each frame to 0..255
  kEqualize,       // flatten each channel's histogram
  kInvert,         // 255 - v
  kRotate,         // counter-clockwise up to 30 degrees about the centre
  kPosterize,      // keep the top 4 - int(0.4 magnitude) bits: never the identity
  kSolarize,       // 255 - v from the threshold 256 - int(25.6 magnitude) on
  kSolarizeAdd,    // v + int(11 magnitude) for v < 128
  kColor,          // blend with the grey picture, factor 1 +- 0.09 magnitude; and the next three
  kContrast,       // blend with the mean grey level
  kBrightness,     // blend with black
  kSharpness,      // blend with a smoothed picture
  kShearX,         // x += 0.03 magnitude * y
  kShearY,         // y += 0.03 magnitude * x
  kTranslateXRel,  // by 0.045 magnitude of the width
  kTranslateYRel,  // of the height
};

inline constexpr int kAugmentOpCount = 15;

// "AutoContrast", ... as timm spells them.
const char* augment_op_name(AugmentOp op);

// One operation of a draw.
struct AugmentStep {
  AugmentOp op = AugmentOp::kAutoContrast;
  double magnitude = 0.0;  // 0..10; the three that have none ignore it
  bool negative = false;   // direction of rotate, shear, translate; less instead of more of the
                           // four blends; the others ignore it
};

struct RandAugmentOptions {
  int ops = 4;                 // draws per clip, with replacement; 0 switches RandAugment off
  double magnitude = 7.0;      // mean of the normal draw, clipped to 0..10
  double magnitude_std = 0.5;  // 0: always the mean
  double probability = 0.5;    // that a drawn operation is applied
};

// The operations that are to be applied, in order; at most options.ops.
std::vector<AugmentStep> draw_rand_augment(const RandAugmentOptions& options, Rng& rng);

// Applies one operation in place to every frame of `rgb` (shape.bytes() bytes). Thread-safe on
// different clips.
void apply_augment(const ClipShape& shape, std::span<std::uint8_t> rgb, const AugmentStep& step);

}  // namespace mien::learn
