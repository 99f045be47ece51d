// One pass of S2D over a fixed number of frames.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/s2d_parts.h"

namespace mien::engine {

// Owns the memory of the pass. Video models: `frames` is the clip's length. One thread at a time.
class S2DPlan {
 public:
  // Construct under ThreadScope; throws dnnl::error and std::bad_alloc.
  S2DPlan(std::shared_ptr<const S2DWeights> weights, std::size_t frames);

  // Before the first run. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  std::size_t arena_bytes() const { return arena_.peak_bytes(); }

  // features: [frames, D], the class tokens after the last norm. Under ThreadScope; throws
  // dnnl::error. `tap` may be null.
  void run(const dnnl::stream& stream, const S2DInput& input, float* features, Tap* tap);

 private:
  void run_input(const Pass& pass, const S2DInput& input);
  void assemble(bool with_time);
  void run_prompt(const Pass& pass, std::size_t index);
  void run_block(const Pass& pass, std::size_t index);
  void tap_tokens(const Pass& pass, const std::string& name, bool all_frames) const;

  // The patch tokens inside x_: every frame without its class token.
  RowBlocks patch_rows() const;
  float* patches_of_x() const;

  std::shared_ptr<const S2DWeights> weights_;
  std::size_t frames_;
  Arena arena_;
  Slot x_;        // tokens, f32 [frames, 1 + N, D]
  Slot map_;      // landmark tokens, then spatial prompts, f32 [frames, N, D]
  Slot patches_;  // patch tokens before the class token joins, f32 [frames, N, D]
  std::unique_ptr<S2DInputPart> input_;
  std::unique_ptr<PromptBuffers> prompt_buffers_;
  std::unique_ptr<BlockBuffers> block_buffers_;
  std::vector<S2DPromptPart> prompts_;
  std::vector<S2DBlockPart> blocks_;
  Slot scratch_;
};

}  // namespace mien::engine
