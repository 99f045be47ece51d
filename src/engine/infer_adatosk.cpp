#include "engine/infer_activations.h"
#include "engine/infer_clips.h"
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
  const auto count = static_cast<std::int64_t>(clips.count);
  core::Tensor feature = core::Tensor::zeros(core::DType::kF32, {count, c.embed_dim});
  AdaToskRunner runner(weights);
  MIEN_TRY(runner.prepare(kept));
  ActivationCollector collector(result.outputs);
  const std::span<float> features = feature.as<float>();
  const AdaToskOutputs outputs{.features = features.data()};
  const Stopwatch watch;
  MIEN_TRY(runner.run(clip_input(clips), clips.count, kept, outputs,
                      job.activations ? &collector : nullptr));
  core::Tensor logits = classify_rows(weights->head, feature);
  result.forward_ms = watch.elapsed_ms();
  put_answers(std::move(feature), std::move(logits), job.activations, weights->positions, result);
  return result;
}

}  // namespace mien::engine
