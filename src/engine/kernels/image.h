// Pixels to network input. Pictures are f32 in channels-last order [frames, side, side, channels].
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/model_config.h"
#include "engine/kernels/act.h"

namespace mien::engine {

// u8 RGB [frames, side, side, 3] -> (pixel / 255 - mean) / std. With norm.gray, or when the network
// has one channel, the pixel is first replaced by its luma 0.299 R + 0.587 G + 0.114 B.
// `channels`: 1 or 3.
void normalize_pixels(const std::uint8_t* rgb, std::size_t frames, std::size_t side,
                      const core::InputNorm& norm, std::size_t channels, float* out);

// Planar frames, the channels `channel_stride` floats apart and the frames `frame_stride`, ->
// channels-last. ([B, C, T, H, W]: channel stride T*H*W, frame stride H*W.)
void planar_to_frames(const float* planar, std::size_t channel_stride, std::size_t frame_stride,
                      std::size_t frames, std::size_t side, std::size_t channels, float* out);

// Bilinear with align_corners = True, as torch.nn.functional.interpolate; a copy when the sizes are
// equal.
void resize_aligned(const float* in, std::size_t frames, std::size_t side, std::size_t channels,
                    std::size_t out_side, float* out);

// Cuts [frames, side, side, channels] into patches: out [frames * (side / patch)^2, patch, patch,
// channels], the patches of a frame row by row. `element`: bytes per value.
void gather_patches(const void* in, std::size_t frames, std::size_t side, std::size_t channels,
                    std::size_t patch, std::size_t element, void* out);

// Cuts a clip, f32 [slots * tubelet, side, side, channels], into cubes of `tubelet` frames: out
// [slots * (side / patch)^2, tubelet, patch, patch, channels], slot by slot, in a slot row by row.
void gather_cubes(const float* in, std::size_t slots, std::size_t tubelet, std::size_t side,
                  std::size_t channels, std::size_t patch, float* out);

// What is taken off a pixel, so that values lie around zero and are exact in bf16: -128 to 127.
inline constexpr int kPixelZero = 128;

// The same of u8 RGB pixels [slots * tubelet, side, side, 3], as pixel - kPixelZero of `kind`.
void gather_pixel_cubes(const std::uint8_t* rgb, std::size_t slots, std::size_t tubelet,
                        std::size_t side, std::size_t patch, ActKind kind, void* out);

// Lays the `tubelet` frames of a slot behind each other as channels: [slots * tubelet, side, side,
// channels] -> [slots, side, side, tubelet * channels].
//
//   two frames of 1 x 2 pixels, one channel:  [a b] [c d]  ->  [ac bd]
void stack_frames(const float* in, std::size_t slots, std::size_t tubelet, std::size_t side,
                  std::size_t channels, float* out);

}  // namespace mien::engine
