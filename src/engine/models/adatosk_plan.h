// One pass of AdaTosk over one clip, in two parts: up to the gate, where all tokens are computed,
// and past it, where only those are that the mask keeps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/models/adatosk_embedding.h"
#include "engine/models/adatosk_weights.h"
#include "engine/models/vit_stack.h"
#include "engine/tap.h"

namespace mien::engine {

// Embedding, the blocks before the gate, the mask. One caller at a time.
class AdaToskGate {
 public:
  // Construct under the ThreadScope of run(); throws dnnl::error and std::bad_alloc.
  explicit AdaToskGate(std::shared_ptr<const AdaToskWeights> weights);

  // Before the first run. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  // Under ThreadScope; throws dnnl::error. `tap` may be null; it is given "patch_embed",
  // "after_pos_embed", "gate.out" (each [1, tokens, D]), the blocks (of slotwise models [S, places,
  // D]), what SoftMask gives and "mask" (m, [1, S, g, g]). Slotwise, clip.tokens are those that
  // leave the gate, else those that enter the first block, without positions (AdaToskSlotWorker).
  void run(const ClipInput& clip, Tap* tap);

  // Of the last clip, until the next: tokens past the gate, f32 [tokens, D], and log m of each.
  const float* tokens() const { return arena_.at<float>(x_); }
  std::span<const float> log_mask() const {
    return mask_ ? mask_->log_mask() : std::span<const float>(flat_);
  }

 private:
  void embed(const LayerPass& pass, const ClipInput& clip, float* tokens, Tap* tap);
  void put(Tap* tap, const char* name) const;
  void put_mask(Tap* tap) const;

  std::shared_ptr<const AdaToskWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  Slot x_;  // tokens, f32 [tokens, D]
  std::unique_ptr<AdaToskEmbedding> embedding_;
  std::unique_ptr<VitStack> stack_;
  std::unique_ptr<SoftMask> mask_;
  std::vector<float> flat_;  // log m without a mask: zeros
  Slot scratch_;
};

// The blocks past the gate over a fixed number of tokens, and the pooling. One caller at a time.
class AdaToskTail {
 public:
  // Construct under the ThreadScope of run(); throws dnnl::error and std::bad_alloc. `kept`: 1 to
  // all tokens.
  AdaToskTail(std::shared_ptr<const AdaToskWeights> weights, std::size_t kept);

  // Before the first run. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  // feature: [D], the mean of the kept tokens, weighted with their mask, after fc_norm. Under
  // ThreadScope; throws dnnl::error. `tap` may be null; it is given "kept" ([1, S, g, g], 1 where a
  // token went on, else 0), the blocks over the kept tokens, "mean_pooled" and "fc_norm" ([1, D]).
  void run(const AdaToskGate& gate, float* feature, Tap* tap);

  // The numbers of the tokens that went on in the last run, ascending.
  std::span<const std::int32_t> kept() const { return {order_.data(), kept_}; }
  std::size_t kept_count() const { return kept_; }

 private:
  void gather(const AdaToskGate& gate);
  void put_kept(Tap* tap) const;

  std::shared_ptr<const AdaToskWeights> weights_;
  std::size_t kept_;
  dnnl::stream stream_;
  Arena arena_;
  Slot x_;     // tokens, f32 [kept, D]
  Slot mean_;  // f32 [D]
  std::unique_ptr<VitStack> stack_;
  Slot scratch_;
  std::vector<std::int32_t> order_;     // [tokens]; the first are those that are kept
  std::vector<float> biases_, shares_;  // log m, and m up to a factor, of the kept
};

}  // namespace mien::engine
