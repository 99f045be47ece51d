// The frames that one thread carries through S2D.
#pragma once

#include <memory>
#include <vector>

#include "engine/models/s2d_parts.h"

namespace mien::engine {

// Consecutive frames of a clip (video models) or frames on their own, with the memory of their
// pass. One thread at a time.
class S2DSlice {
 public:
  // Construct under ThreadScope; throws dnnl::error and std::bad_alloc. `team`: of the clip that
  // the frames from `first_frame` on belong to, where this is `member`; null in image models.
  S2DSlice(std::shared_ptr<const S2DWeights> weights, std::size_t frames, std::size_t first_frame,
           TimeTeam* team, std::size_t member);

  // Before the first run. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  std::size_t arena_bytes() const { return arena_.peak_bytes(); }

  std::size_t frames() const { return frames_; }
  std::size_t first_frame() const { return first_frame_; }

  // `input` and `features` ([frames, D], the class tokens after the last norm) begin at the first
  // frame of the slice. Under ThreadScope; throws dnnl::error. `tap` may be null.
  void run(const S2DInput& input, float* features, Tap* tap);

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
  std::size_t first_frame_;
  TimeTeam* team_;
  std::size_t member_;
  dnnl::stream stream_;
  Arena arena_;
  Slot x_;        // tokens, f32 [frames, 1 + N, D]
  Slot map_;      // landmark tokens, then spatial prompts, f32 [frames, N, D]
  Slot patches_;  // patch tokens before the class token joins, f32 [frames, N, D]
  std::unique_ptr<S2DInputPart> input_;
  std::unique_ptr<PromptBuffers> prompt_buffers_;
  std::unique_ptr<VitBuffers> block_buffers_;
  std::vector<S2DPromptPart> prompts_;
  std::vector<VitBlock> blocks_;
  Slot scratch_;
};

}  // namespace mien::engine
