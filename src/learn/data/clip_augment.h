// From the frames of a clip to a network input, with the video recipes' augmentation (NOTES.md
// section 4) or without. Every random choice is made once per clip, so that the motion survives.
#pragma once

#include <torch/torch.h>

#include <optional>

#include "core/model_config.h"
#include "learn/data/clip_augment_options.h"

namespace mien::learn {

// A clip somebody else owns: rgb.size() == shape.bytes(). The recipes resize frames to the
// network's size as Pillow does before anything else (media::resize_bilinear); do so too, since
// what is below samples bilinearly without antialiasing.
struct ClipView {
  ClipShape shape;
  std::span<const std::uint8_t> rgb;
};

// A rectangle of whole pixels.
struct PixelBox {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
};

// The part of a frame that becomes the input: area and ratio as the options say, anywhere it fits;
// after ten misses the central part with the nearest allowed ratio. The whole frame when
// crop_scale_low is 0.
PixelBox draw_crop(int height, int width, const ClipAugmentOptions& options, Rng& rng);

// The box that random erasing (Zhong et al. 2017, arXiv 1708.04896) covers in a square crop, or
// none. It is smaller than the crop both ways.
std::optional<PixelBox> draw_erasure(int size, const ClipAugmentOptions& options, Rng& rng);

// The part `box` of every frame, bilinearly resized (align_corners=False) to size x size, mirrored
// if asked, normalised: [3, T, size, size] f32, R G B; under norm.gray the luma 0.299 R + 0.587 G +
// 0.114 B in all three. `box` lies in the frame and is not empty; size > 0.
torch::Tensor render_clip(const ClipView& clip, const PixelBox& box, bool mirrored, int size,
                          const core::InputNorm& norm);

// Covers `box` of a normalised clip [3, T, S, S] (f32, contiguous) with standard normal noise, the
// same box in every frame, fresh noise in each; the same in the three channels under norm.gray.
void erase_clip(torch::Tensor& clip, const PixelBox& box, const core::InputNorm& norm, Rng& rng);

// A training input [3, T, size, size]: RandAugment on the 8-bit frames, normalisation, random
// resized crop, mirroring, random erasing, in this order. A function of the clip, the options and
// the state of `rng` alone.
torch::Tensor augment_clip(const ClipView& clip, int size, const core::InputNorm& norm,
                           const ClipAugmentOptions& options, Rng& rng);

// An evaluation input [3, T, size, size]: the whole frames, normalised. With frames of size x size
// it is what the engine makes of the same bytes, to the bit.
torch::Tensor plain_clip(const ClipView& clip, int size, const core::InputNorm& norm);

}  // namespace mien::learn
