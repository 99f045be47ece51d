// The parts that one pass of S2D is put together from beside its transformer blocks: input and
// prompt, each bound to a number of frames and to its place in the arena. Constructors run under
// ThreadScope and throw dnnl::error; run() neither allocates nor fails but by dnnl::error.
#pragma once

#include <optional>

#include "engine/models/s2d_weights.h"
#include "engine/tap.h"
#include "engine/time_team.h"

namespace mien::engine {

// What the model sees. One of rgb and planar, and the map unless the model has its own landmark
// trunk; or tokens alone.
struct S2DInput {
  const std::uint8_t* rgb = nullptr;  // u8 [frames, S, S, 3]
  // Normalised f32, channel c of frame f at planar + c * channel_stride + f * S * S.
  const float* planar = nullptr;
  std::size_t channel_stride = 0;
  const float* map = nullptr;     // f32 [frames, in_chans_l, grid, grid]
  const float* tokens = nullptr;  // f32 [frames, 2, N, D], see S2DEmbedder

  // The same seen from a later frame on.
  S2DInput from_frame(const S2DWeights& weights, std::size_t frame) const;
};

// A running pass, who looks at it and who shares it.
struct Pass : LayerPass {
  Tap* tap = nullptr;        // may be null
  TimeTeam* team = nullptr;  // null in image models
  std::size_t member = 0;    // who this is in the team
};

// Pictures -> patch tokens and landmark tokens, both f32 [frames, N, D], `chunk` frames at a time.
class S2DInputPart {
 public:
  S2DInputPart(const S2DWeights& weights, std::size_t chunk, Arena& arena);

  std::size_t chunk() const { return chunk_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  // `input` begins at the chunk's first frame; so do the outputs.
  void run(const Pass& pass, const S2DInput& input, float* patch_tokens, float* map_tokens);

 private:
  void load_pictures(const S2DInput& input, float* pictures) const;
  const void* landmark_map(const Pass& pass, const S2DInput& input, const float* pictures);
  const void* patches(const Pass& pass, float* pictures);

  const S2DWeights* weights_;
  std::size_t chunk_;
  Slot pictures_, resized_, map_, map_act_, patches_;
  std::optional<ConvChain> stem_, landmark_;
  Linear patch_proj_, prompt_proj_;
  std::size_t scratch_bytes_ = 0;
};

// Buffers that all prompts of a pass share.
struct PromptBuffers {
  // `team`: null in image models; its clip has the frames of this pass from `first_frame` on.
  PromptBuffers(const S2DWeights& weights, std::size_t frames, std::size_t first_frame,
                const TimeTeam* team, Arena& arena);

  std::size_t frames;
  std::size_t first_frame;
  Slot normed, normed_act, map_normed, u, v, sum, fovea_work;
  Slot down, projected, temporal, temporal_normed, temporal_term, attention_work;
};

// One prompt block: spatial prompt and, in video models, TMA.
class S2DPromptPart {
 public:
  S2DPromptPart(const S2DWeights& weights, std::size_t index, const PromptBuffers& buffers);

  std::size_t scratch_bytes() const { return scratch_bytes_; }

  // Reads the tokens x (patches only, laid out as `blocks`) and the map tokens [frames, N, D].
  // Replaces the map tokens by the spatial prompt s; returns the temporal term m [frames, N, D], or
  // null in image models. x is not changed.
  const float* run(const Pass& pass, const float* x, const RowBlocks& blocks, float* map_tokens);

 private:
  struct Tma {
    Linear t_fc1, t_qkv, t_proj, t_fc2, s_fc1, s_fc2;
  };
  const float* run_tma(const Pass& pass);
  void tap_spatial(const Pass& pass, const float* map_tokens) const;
  void tap_temporal(const Pass& pass) const;

  const S2DWeights* weights_;
  const PromptWeights* prompt_;
  const PromptBuffers* buffers_;
  std::size_t index_;
  Linear conv0_0_, conv0_1_, conv1x1_;
  std::optional<Tma> tma_;
  std::size_t scratch_bytes_ = 0;
};

// [places, channels] -> [channels, places] of the first frame, for taps.
void put_planar(Tap& tap, const std::string& name, const float* tokens, std::size_t channels,
                std::size_t grid);

}  // namespace mien::engine
