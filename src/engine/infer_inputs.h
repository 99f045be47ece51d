// The input tensors of `mien infer`, checked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::engine {

// The input of that name, or null.
const core::TensorView* find_input(const core::TensorViewMap& inputs, const std::string& name);

// Error kInvalidArgument unless the tensor is u8 (`pixels`) or floating and has this shape; -1
// stands for any size of at least 1.
Status check_input(const std::string& name, const core::TensorView& tensor, bool pixels,
                   const core::Shape& wanted);

// Clips of one length; one of the two.
struct ClipTensors {
  std::size_t count = 0;
  std::size_t frames = 0;
  std::span<const std::uint8_t> rgb;  // [count, frames, S, S, 3], of the inputs
  std::vector<float> planar;          // [count, C, frames, S, S]
};

// What a model takes.
struct ClipLayout {
  std::int64_t channels = 3;
  std::int64_t side = 0;
  bool stills = false;  // image_u8 [N, S, S, 3] too: N clips of one frame
};

// `x` [B, C, T, S, S] or `video_u8` [T, S, S, 3] or [B, T, S, S, 3]; x wins over pixels. Errors:
// kInvalidArgument (see infer_tensors), kUnsupported (pixels for two channels).
Result<ClipTensors> read_clip_tensors(const ClipLayout& layout, const core::TensorViewMap& inputs);

}  // namespace mien::engine
