// What AdaTosk computes of each slot by itself: its frames -> its tokens, embedded, or in slotwise
// models as they leave the gate.
#pragma once

#include <memory>

#include "engine/models/adatosk_embedding.h"
#include "engine/models/part_embedder.h"

namespace mien::engine {

// One thread's memory for one slot at a time.
class AdaToskSlotWorker {
 public:
  // Under ThreadScope; throws dnnl::error.
  explicit AdaToskSlotWorker(std::shared_ptr<const AdaToskWeights> weights);

  Status allocate() { return arena_.allocate(); }

  // rgb: u8 [tubelet, S, S, 3]; tokens: f32 [places, D] as AdaToskGate takes them.
  void run(const std::uint8_t* rgb, float* tokens);

  static std::size_t part_bytes(const AdaToskWeights& weights);
  static std::size_t part_values(const AdaToskWeights& weights) { return weights.slot_values(); }

 private:
  std::shared_ptr<const AdaToskWeights> weights_;
  dnnl::stream stream_;
  Arena arena_;
  std::unique_ptr<AdaToskEmbedding> embedding_;
  std::unique_ptr<VitStack> stack_;  // slotwise models
  Slot scratch_;
};

using AdaToskEmbedder = PartEmbedder<AdaToskSlotWorker, AdaToskWeights>;

}  // namespace mien::engine
