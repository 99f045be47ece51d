#include "engine/infer_activations.h"
#include "engine/infer_clips.h"
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
  const auto count = static_cast<std::int64_t>(clips.count);
  core::Tensor feature = core::Tensor::zeros(core::DType::kF32, {count, c.embed_dim});
  VideoMaeRunner runner(weights);
  MIEN_TRY(runner.prepare());
  ActivationCollector collector(result.outputs);
  const Stopwatch watch;
  const std::span<float> features = feature.as<float>();
  MIEN_TRY(runner.run(clip_input(clips), clips.count, features.data(),
                      job.activations ? &collector : nullptr));
  core::Tensor logits = classify_rows(weights->head, feature);
  result.forward_ms = watch.elapsed_ms();
  put_answers(std::move(feature), std::move(logits), job.activations, weights->positions, result);
  return result;
}

}  // namespace mien::engine
