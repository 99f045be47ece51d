#include "engine/infer.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/guard.h"
#include "engine/infer_activations.h"
#include "engine/models/mobilefacenet.h"
#include "engine/models/s2d.h"

namespace mien::engine {
namespace {

using core::DType;
using core::Shape;
using core::TensorView;

const TensorView* find(const core::TensorViewMap& inputs, const std::string& name) {
  const auto it = inputs.find(name);
  return it == inputs.end() ? nullptr : &it->second;
}

bool is_floating(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

// -1 in `wanted` stands for any size of at least 1.
Status check_shape(const std::string& name, const TensorView& tensor, bool pixels,
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

// The clips of an S2D call in memory.
struct Clips {
  std::size_t count = 0;
  std::size_t frames = 0;
  std::span<const std::uint8_t> rgb;  // [count, frames, S, S, 3], or
  std::vector<float> planar;          // [count, C, frames, S, S]
  std::vector<float> map;             // [count * frames, C_l, g, g]; empty: computed
};

Status read_pixels(const core::S2DConfig& c, const std::string& name, const TensorView& tensor,
                   Clips& clips) {
  const std::int64_t side = c.img_size;
  if (c.in_chans == 2) {
    return make_error(ErrorCode::kUnsupported, "a model of two channels reads no pixels", name);
  }
  Shape wanted = {-1, side, side, 3};
  const bool batched = tensor.shape.size() == 5;
  if (batched) wanted.insert(wanted.begin(), -1);
  MIEN_TRY(check_shape(name, tensor, true, wanted));
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

Result<Clips> read_clips(const S2DWeights& w, const core::TensorViewMap& inputs) {
  const core::S2DConfig& c = w.sizes();
  Clips clips;
  if (const TensorView* x = find(inputs, "x"); x != nullptr) {
    MIEN_TRY(check_shape("x", *x, false, {-1, c.in_chans, -1, c.img_size, c.img_size}));
    clips.count = static_cast<std::size_t>(x->shape[0]);
    clips.frames = static_cast<std::size_t>(x->shape[2]);
    clips.planar = core::to_f32(*x);
  } else if (const TensorView* video = find(inputs, "video_u8"); video != nullptr) {
    MIEN_TRY(read_pixels(c, "video_u8", *video, clips));
  } else if (const TensorView* image = find(inputs, "image_u8"); image != nullptr && !c.temporal) {
    MIEN_TRY(check_shape("image_u8", *image, true, {-1, c.img_size, c.img_size, 3}));
    MIEN_TRY(read_pixels(c, "image_u8", *image, clips));
  } else {
    return make_error(ErrorCode::kInvalidArgument, "there is neither 'x' nor 'video_u8'", "inputs");
  }
  if (const TensorView* a = find(inputs, "a"); a != nullptr) {
    const auto frames = static_cast<std::int64_t>(clips.count * clips.frames);
    MIEN_TRY(check_shape("a", *a, false, {frames, c.in_chans_l, c.grid(), c.grid()}));
    clips.map = core::to_f32(*a);
  } else if (!w.landmark) {
    return make_error(ErrorCode::kInvalidArgument,
                      "is missing, and the model has no landmark trunk to compute it with", "a");
  }
  return clips;
}

// The frames of every clip in the reverse order.
Clips reversed(const S2DWeights& w, const Clips& clips, std::vector<std::uint8_t>& pixels) {
  Clips out = clips;
  const std::size_t place = w.side() * w.side();
  const auto flip = [&](auto from, auto to, std::size_t groups, std::size_t size) {
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t f = 0; f < clips.frames; ++f) {
        const std::size_t mirror = clips.frames - 1 - f;
        std::copy_n(from + (g * clips.frames + mirror) * size, size,
                    to + (g * clips.frames + f) * size);
      }
    }
  };
  pixels.resize(clips.rgb.size());
  if (!clips.rgb.empty()) flip(clips.rgb.data(), pixels.data(), clips.count, place * 3);
  out.rgb = pixels;
  if (!clips.planar.empty()) {
    flip(clips.planar.data(), out.planar.data(), clips.count * w.channels(), place);
  }
  if (!clips.map.empty()) {
    flip(clips.map.data(), out.map.data(), clips.count,
         clips.map.size() / (clips.count * clips.frames));
  }
  return out;
}

struct S2DOutputs {
  core::Tensor logits, feature;
};

Result<S2DOutputs> run_clips(S2DRunner& runner, const Clips& clips, Tap* tap) {
  const S2DWeights& w = runner.weights();
  const auto count = static_cast<std::int64_t>(clips.count);
  S2DOutputs out{core::Tensor::zeros(DType::kF32, {count, w.sizes().num_classes}),
                 core::Tensor::zeros(DType::kF32, {count, w.sizes().embed_dim})};
  std::vector<float> features(clips.frames * w.width());
  const std::size_t place = w.side() * w.side();
  for (std::size_t b = 0; b < clips.count; ++b) {
    S2DInput input;
    if (!clips.rgb.empty()) input.rgb = clips.rgb.data() + b * clips.frames * place * 3;
    if (!clips.planar.empty()) {
      input.channel_stride = clips.frames * place;
      input.planar = clips.planar.data() + b * w.channels() * input.channel_stride;
    }
    if (!clips.map.empty()) input.map = clips.map.data() + b * (clips.map.size() / clips.count);
    MIEN_TRY(runner.run(input, clips.frames, features.data(), tap));
    classify_features(w, features.data(), clips.frames,
                      out.feature.as<float>().data() + b * w.width(),
                      out.logits.as<float>().data() + b * w.classes());
  }
  return out;
}

Status add_variants(S2DRunner& runner, const Clips& clips, core::TensorMap& outputs) {
  std::vector<std::uint8_t> pixels;
  const Clips backwards = reversed(runner.weights(), clips, pixels);
  MIEN_ASSIGN(S2DOutputs reverse, run_clips(runner, backwards, nullptr));
  outputs["logits_time_reversed"] = std::move(reverse.logits);
  Clips blind = clips;
  const core::S2DConfig& c = runner.weights().sizes();
  blind.map.assign(clips.count * clips.frames * static_cast<std::size_t>(c.in_chans_l) *
                       runner.weights().patches(),
                   0.0F);
  MIEN_ASSIGN(S2DOutputs without, run_clips(runner, blind, nullptr));
  outputs["logits_with_zero_a"] = std::move(without.logits);
  return {};
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

Result<InferResult> infer_s2d(std::shared_ptr<const Context> context,
                              const core::ModelConfig& config, const core::TensorViewMap& tensors,
                              const core::TensorViewMap& inputs, bool activations) {
  InferResult result;
  result.precision = context->precision();
  MIEN_ASSIGN(auto weights, S2DWeights::load(std::move(context), config, tensors));
  MIEN_ASSIGN(const Clips clips, read_clips(*weights, inputs));
  S2DRunner runner(weights);
  MIEN_TRY(runner.prepare());
  ActivationCollector collector(result.outputs);
  const auto start = std::chrono::steady_clock::now();
  MIEN_ASSIGN(S2DOutputs out, run_clips(runner, clips, activations ? &collector : nullptr));
  result.forward_ms = milliseconds_since(start);
  if (activations) {
    result.outputs["logits_f64"] = widened(out.logits);
    MIEN_TRY(add_variants(runner, clips, result.outputs));
  }
  result.outputs["logits"] = std::move(out.logits);
  result.outputs["feature"] = std::move(out.feature);
  return result;
}

// Keeps only the map that every call gives, when nothing else was asked for.
class FeatureOnly : public ActivationCollector {
 public:
  using ActivationCollector::ActivationCollector;
  void put(const std::string& name, std::span<const float> values, const Shape& shape) override {
    if (name == "feat") ActivationCollector::put(name, values, shape);
  }
};

Result<InferResult> infer_mobilefacenet(std::shared_ptr<const Context> context,
                                        const core::ModelConfig& config,
                                        const core::TensorViewMap& tensors,
                                        const core::TensorViewMap& inputs, bool activations) {
  InferResult result;
  result.precision = context->precision();
  MIEN_ASSIGN(auto weights, MobileFaceNetWeights::load(std::move(context), config, tensors));
  const auto side = static_cast<std::int64_t>(weights->side());
  PictureInput input;
  std::vector<float> planar;
  const TensorView* x = find(inputs, "x");
  const TensorView* image = find(inputs, "image_u8");
  if (x != nullptr) {
    MIEN_TRY(check_shape("x", *x, false, {-1, 3, side, side}));
    planar = core::to_f32(*x);
    input.planar = planar.data();
  } else if (image != nullptr) {
    MIEN_TRY(check_shape("image_u8", *image, true, {-1, side, side, 3}));
    input.rgb = image->as<std::uint8_t>().data();
  } else {
    return make_error(ErrorCode::kInvalidArgument, "there is neither 'x' nor 'image_u8'", "inputs");
  }
  const std::int64_t n = (x != nullptr ? x : image)->shape[0];
  core::Tensor points =
      core::Tensor::zeros(DType::kF32, {n, static_cast<std::int64_t>(weights->outputs())});
  MobileFaceNetRunner runner(weights);
  ActivationCollector all(result.outputs);
  FeatureOnly feature(result.outputs);
  const auto start = std::chrono::steady_clock::now();
  MIEN_TRY(runner.run(input, static_cast<std::size_t>(n), points.as<float>().data(),
                      activations ? &all : &feature));
  result.forward_ms = milliseconds_since(start);
  if (activations) result.outputs["landmark_f64"] = widened(points);
  result.outputs["landmark"] = std::move(points);
  return result;
}

}  // namespace

Result<InferResult> infer_tensors(const core::ModelConfig& config,
                                  const core::TensorViewMap& weights,
                                  const core::TensorViewMap& inputs, const InferOptions& options) {
  return guarded([&]() -> Result<InferResult> {
    MIEN_TRY(core::validate(config));
    MIEN_TRY(core::check_tensors(core::tensor_table(config), weights));
    MIEN_ASSIGN(auto context, Context::create(options.engine));
    if (config.arch == core::Arch::kS2D) {
      return infer_s2d(std::move(context), config, weights, inputs, options.activations);
    }
    return infer_mobilefacenet(std::move(context), config, weights, inputs, options.activations);
  });
}

}  // namespace mien::engine
