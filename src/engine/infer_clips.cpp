#include "engine/infer_clips.h"

#include <utility>

#include "engine/infer_activations.h"

namespace mien::engine {

ClipInput clip_input(const ClipTensors& clips) {
  ClipInput input;
  if (clips.planar.empty()) {
    input.rgb = clips.rgb.data();
  } else {
    input.planar = clips.planar.data();
  }
  return input;
}

core::Tensor classify_rows(const Head& head, const core::Tensor& features) {
  const auto count = static_cast<std::size_t>(features.shape[0]);
  core::Tensor logits = core::Tensor::zeros(
      core::DType::kF32, {features.shape[0], static_cast<std::int64_t>(head.classes())});
  for (std::size_t row = 0; row < count; ++row) {
    classify_feature(head, features.as<float>().data() + row * head.width(),
                     logits.as<float>().data() + row * head.classes());
  }
  return logits;
}

void put_answers(core::Tensor feature, core::Tensor logits, bool activations,
                 const std::vector<float>& positions, InferResult& result) {
  if (activations) {
    const std::int64_t width = feature.shape[1];
    const auto tokens = static_cast<std::int64_t>(positions.size()) / width;
    result.outputs["pos_embed"] = core::Tensor::from_f32(positions, {tokens, width});
    result.outputs["logits_f64"] = widened(logits);
  }
  result.outputs["logits"] = std::move(logits);
  result.outputs["feature"] = std::move(feature);
}

}  // namespace mien::engine
