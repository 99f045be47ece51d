// The networks as graphs, one function each. They are formula for formula what the engine computes
// in f32 (src/engine/models). All may throw (see Weights).
#pragma once

#include "core/model_config.h"
#include "export/layers.h"

namespace mien::exporting {

// Free sizes of inputs and outputs.
inline constexpr const char* kClips = "clips";
inline constexpr const char* kFrames = "frames";  // of all clips together

// The input "x", f32 [clips, channels, frames, size, size], of a model that reads clips (a model of
// stills: clips of one frame).
Value clip_input(GraphBuilder& g, const core::ModelConfig& config, std::int64_t channels);

// Adds the outputs "feature" [clips, D] and "logits" [clips, C] = head(feature). `name`: of the
// head's tensors.
void classify(GraphBuilder& g, const Weights& weights, const std::string& name,
              const Value& feature);

// MobileFaceNet: x f32 [pictures, 3, 112, 112] -> landmark [pictures, 136].
void add_mobilefacenet(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights);

// Its part up to conv_4: pictures [n, 3, side, side] -> [n, 128, side / 8, side / 8].
Value mobilefacenet_trunk(GraphBuilder& g, const Weights& weights, const Value& pictures);

// VideoMAE: clip_input -> feature, logits.
void add_videomae(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights);

// S2D: clip_input, without a landmark trunk also a f32 [frames, in_chans_l, grid, grid] -> feature,
// logits.
void add_s2d(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights);

// AdaTosk at the config's budget: clip_input -> feature, logits, mask f32 [clips, slots, grid,
// grid].
void add_adatosk(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights);

// --- parts that stand in files of their own ---

// A prompt block of S2D (s2d_prompt.cpp): patch tokens and landmark tokens in, both [n, N, D].
struct PromptResult {
  Value spatial;   // s, which takes the landmark tokens' place
  Value temporal;  // m; "" in image models
};
PromptResult s2d_prompt(GraphBuilder& g, const core::S2DConfig& config, const Weights& weights,
                        int index, const Value& patches, const Value& landmarks);

// AdaTosk's soft mask (soft_mask.cpp): tokens past the gate's last block, [clips, S * P, D] -> log
// m, [clips, S * P]. Of a config that masks().
Value soft_mask(GraphBuilder& g, const core::AdaToskConfig& config, const Weights& weights,
                const Value& tokens);

}  // namespace mien::exporting
