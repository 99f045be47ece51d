#include "engine/infer_inputs.h"

namespace mien::engine {
namespace {

using core::DType;
using core::Shape;
using core::TensorView;

bool is_floating(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

Status read_pixels(const ClipLayout& layout, const std::string& name, const TensorView& tensor,
                   ClipTensors& clips) {
  if (layout.channels == 2) {
    return make_error(ErrorCode::kUnsupported, "a model of two channels reads no pixels", name);
  }
  Shape wanted = {-1, layout.side, layout.side, 3};
  const bool batched = tensor.shape.size() == 5;
  if (batched) wanted.insert(wanted.begin(), -1);
  MIEN_TRY(check_input(name, tensor, true, wanted));
  const auto first = static_cast<std::size_t>(tensor.shape[0]);
  if (name == "image_u8") {
    clips.count = first;
    clips.frames = 1;
  } else {
    clips.count = batched ? first : 1;
    clips.frames = batched ? static_cast<std::size_t>(tensor.shape[1]) : first;
  }
  clips.rgb = tensor.as<std::uint8_t>();
  return {};
}

}  // namespace

const TensorView* find_input(const core::TensorViewMap& inputs, const std::string& name) {
  const auto it = inputs.find(name);
  return it == inputs.end() ? nullptr : &it->second;
}

Status check_input(const std::string& name, const TensorView& tensor, bool pixels,
                   const Shape& wanted) {
  const bool type_fits = pixels ? tensor.dtype == DType::kU8 : is_floating(tensor.dtype);
  if (!type_fits) {
    return make_error(ErrorCode::kInvalidArgument,
                      std::string("has element type ") + core::dtype_name(tensor.dtype) +
                          (pixels ? ", U8 is wanted" : ", a floating type is wanted"),
                      name);
  }
  bool fits = tensor.shape.size() == wanted.size();
  for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
    fits = wanted[i] < 0 ? tensor.shape[i] >= 1 : tensor.shape[i] == wanted[i];
  }
  if (fits) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    "has shape " + core::shape_string(tensor.shape) + ", wanted is " +
                        core::shape_string(wanted) + " (-1: any)",
                    name);
}

Result<ClipTensors> read_clip_tensors(const ClipLayout& layout, const core::TensorViewMap& inputs) {
  ClipTensors clips;
  if (const TensorView* x = find_input(inputs, "x"); x != nullptr) {
    MIEN_TRY(check_input("x", *x, false, {-1, layout.channels, -1, layout.side, layout.side}));
    clips.count = static_cast<std::size_t>(x->shape[0]);
    clips.frames = static_cast<std::size_t>(x->shape[2]);
    clips.planar = core::to_f32(*x);
    return clips;
  }
  if (const TensorView* video = find_input(inputs, "video_u8"); video != nullptr) {
    MIEN_TRY(read_pixels(layout, "video_u8", *video, clips));
    return clips;
  }
  if (const TensorView* image = find_input(inputs, "image_u8"); image != nullptr && layout.stills) {
    MIEN_TRY(check_input("image_u8", *image, true, {-1, layout.side, layout.side, 3}));
    MIEN_TRY(read_pixels(layout, "image_u8", *image, clips));
    return clips;
  }
  return make_error(ErrorCode::kInvalidArgument, "there is neither 'x' nor 'video_u8'", "inputs");
}

}  // namespace mien::engine
