#include "engine/infer_activations.h"
#include "engine/infer_inputs.h"
#include "engine/infer_models.h"
#include "engine/models/adatosk.h"

namespace mien::engine {

Result<InferResult> infer_adatosk(const InferJob& job) {
  const core::VideoMaeConfig& c = job.config.adatosk.vit;
  InferResult result;
  result.precision = job.context->precision();
  MIEN_ASSIGN(auto weights, AdaToskWeights::load(job.context, job.config, job.weights));
  const ClipLayout layout{.channels = c.in_chans, .side = c.img_size};
  MIEN_ASSIGN(const ClipTensors clips, read_clip_tensors(layout, job.inputs));
  MIEN_TRY(weights->check_frames(clips.frames));
  MIEN_ASSIGN(const std::size_t kept, weights->kept_tokens(job.budget));
  ClipInput input;
  if (clips.planar.empty()) {
    input.rgb = clips.rgb.data();
  } else {
    input.planar = clips.planar.data();
  }

  const auto count = static_cast<std::int64_t>(clips.count);
  core::Tensor feature = core::Tensor::zeros(core::DType::kF32, {count, c.embed_dim});
  core::Tensor logits = core::Tensor::zeros(core::DType::kF32, {count, c.num_classes});
  AdaToskRunner runner(weights);
  MIEN_TRY(runner.prepare(kept));
  ActivationCollector collector(result.outputs);
  const std::span<float> features = feature.as<float>();
  const AdaToskOutputs outputs{.features = features.data()};
  const Stopwatch watch;
  MIEN_TRY(runner.run(input, clips.count, kept, outputs, job.activations ? &collector : nullptr));
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
