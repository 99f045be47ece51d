#include "engine/infer_activations.h"
#include "engine/infer_inputs.h"
#include "engine/infer_models.h"
#include "engine/models/videomae.h"

namespace mien::engine {

Result<InferResult> infer_videomae(const InferJob& job) {
  const core::VideoMaeConfig& c = job.config.videomae;
  InferResult result;
  result.precision = job.context->precision();
  MIEN_ASSIGN(auto weights, VideoMaeWeights::load(job.context, job.config, job.weights));
  const ClipLayout layout{.channels = c.in_chans, .side = c.img_size};
  MIEN_ASSIGN(const ClipTensors clips, read_clip_tensors(layout, job.inputs));
  MIEN_TRY(weights->check_frames(clips.frames));
  ClipInput input;
  if (clips.planar.empty()) {
    input.rgb = clips.rgb.data();
  } else {
    input.planar = clips.planar.data();
  }

  const auto count = static_cast<std::int64_t>(clips.count);
  core::Tensor feature = core::Tensor::zeros(core::DType::kF32, {count, c.embed_dim});
  core::Tensor logits = core::Tensor::zeros(core::DType::kF32, {count, c.num_classes});
  VideoMaeRunner runner(weights);
  MIEN_TRY(runner.prepare());
  ActivationCollector collector(result.outputs);
  const Stopwatch watch;
  const std::span<float> features = feature.as<float>();
  MIEN_TRY(runner.run(input, clips.count, features.data(), job.activations ? &collector : nullptr));
  for (std::size_t b = 0; b < clips.count; ++b) {
    classify_feature(weights->head, features.data() + b * weights->width(),
                     logits.as<float>().data() + b * weights->head.classes());
  }
  result.forward_ms = watch.elapsed_ms();
  if (job.activations) {
    result.outputs["pos_embed"] =
        core::Tensor::from_f32(weights->positions, {c.tokens(), c.embed_dim});
    result.outputs["logits_f64"] = widened(logits);
  }
  result.outputs["logits"] = std::move(logits);
  result.outputs["feature"] = std::move(feature);
  return result;
}

}  // namespace mien::engine
