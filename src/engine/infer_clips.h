// What `mien infer` does alike for the video transformers, VideoMAE and AdaTosk.
#pragma once

#include <vector>

#include "engine/infer_inputs.h"
#include "engine/infer_models.h"
#include "engine/models/head.h"
#include "engine/models/tubelet_embedding.h"

namespace mien::engine {

// The clips as the networks take them. Points into `clips`.
ClipInput clip_input(const ClipTensors& clips);

// features f32 [count, D] -> logits f32 [count, C].
core::Tensor classify_rows(const Head& head, const core::Tensor& features);

// Puts `logits` and `feature` among the outputs; with `activations` also `pos_embed` (positions:
// [tokens, D]) and `logits_f64`.
void put_answers(core::Tensor feature, core::Tensor logits, bool activations,
                 const std::vector<float>& positions, InferResult& result);

}  // namespace mien::engine
