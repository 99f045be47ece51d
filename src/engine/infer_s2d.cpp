#include <algorithm>

#include "engine/infer_activations.h"
#include "engine/infer_inputs.h"
#include "engine/infer_models.h"
#include "engine/models/s2d.h"

namespace mien::engine {
namespace {

using core::DType;
using core::TensorView;

// The clips of a call and their landmark maps.
struct S2DClips : ClipTensors {
  std::vector<float> map;  // [count * frames, C_l, g, g]; empty: computed
};

Result<S2DClips> read_clips(const S2DWeights& w, const core::TensorViewMap& inputs) {
  const core::S2DConfig& c = w.sizes();
  const ClipLayout layout{.channels = c.in_chans, .side = c.img_size, .stills = !c.temporal};
  S2DClips clips;
  MIEN_ASSIGN(static_cast<ClipTensors&>(clips), read_clip_tensors(layout, inputs));
  if (const TensorView* a = find_input(inputs, "a"); a != nullptr) {
    const auto frames = static_cast<std::int64_t>(clips.count * clips.frames);
    MIEN_TRY(check_input("a", *a, false, {frames, c.in_chans_l, c.grid(), c.grid()}));
    clips.map = core::to_f32(*a);
  } else if (!w.landmark) {
    return make_error(ErrorCode::kInvalidArgument,
                      "is missing, and the model has no landmark trunk to compute it with", "a");
  }
  return clips;
}

// The frames of every clip in the reverse order.
S2DClips reversed(const S2DWeights& w, const S2DClips& clips, std::vector<std::uint8_t>& pixels) {
  S2DClips out = clips;
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

Result<S2DOutputs> run_clips(S2DRunner& runner, const S2DClips& clips, Tap* tap) {
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
    classify_features(w.head, features.data(), clips.frames,
                      out.feature.as<float>().data() + b * w.width(),
                      out.logits.as<float>().data() + b * w.classes());
  }
  return out;
}

Status add_variants(S2DRunner& runner, const S2DClips& clips, core::TensorMap& outputs) {
  std::vector<std::uint8_t> pixels;
  const S2DClips backwards = reversed(runner.weights(), clips, pixels);
  MIEN_ASSIGN(S2DOutputs reverse, run_clips(runner, backwards, nullptr));
  outputs["logits_time_reversed"] = std::move(reverse.logits);
  S2DClips blind = clips;
  const core::S2DConfig& c = runner.weights().sizes();
  blind.map.assign(clips.count * clips.frames * static_cast<std::size_t>(c.in_chans_l) *
                       runner.weights().patches(),
                   0.0F);
  MIEN_ASSIGN(S2DOutputs without, run_clips(runner, blind, nullptr));
  outputs["logits_with_zero_a"] = std::move(without.logits);
  return {};
}

}  // namespace

Result<InferResult> infer_s2d(const InferJob& job) {
  InferResult result;
  result.precision = job.context->precision();
  MIEN_ASSIGN(auto weights, S2DWeights::load(job.context, job.config, job.weights));
  MIEN_ASSIGN(const S2DClips clips, read_clips(*weights, job.inputs));
  S2DRunner runner(weights);
  MIEN_TRY(runner.prepare());
  ActivationCollector collector(result.outputs);
  const Stopwatch watch;
  MIEN_ASSIGN(S2DOutputs out, run_clips(runner, clips, job.activations ? &collector : nullptr));
  result.forward_ms = watch.elapsed_ms();
  if (job.activations) {
    result.outputs["logits_f64"] = widened(out.logits);
    MIEN_TRY(add_variants(runner, clips, result.outputs));
  }
  result.outputs["logits"] = std::move(out.logits);
  result.outputs["feature"] = std::move(out.feature);
  return result;
}

}  // namespace mien::engine
