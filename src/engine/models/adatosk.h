// AdaTosk over any number of clips.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/models/adatosk_plan.h"

namespace mien::engine {

// Where the results of a call go.
struct AdaToskOutputs {
  float* features = nullptr;     // [clips, D], see AdaToskTail
  float* mask = nullptr;         // m, [clips, S, g, g]; may be null
  std::uint8_t* kept = nullptr;  // 1 where a token went on, else 0; [clips, S, g, g]; may be null
};

// All threads work on one clip layer by layer where that is worth it; clips of smaller models are
// shared out among the threads. What is prepared for a number of kept tokens is held for the
// kHeldBudgets numbers used last. One caller at a time.
class AdaToskRunner {
 public:
  static constexpr std::size_t kHeldBudgets = 4;

  explicit AdaToskRunner(std::shared_ptr<const AdaToskWeights> weights);

  // Makes the primitives of one clip of which `kept` tokens go on, and thereby packs the weights.
  // Errors: kLimit, kInternal.
  Status prepare(std::size_t kept);

  // `kept`: see AdaToskWeights::kept_tokens(). The input is trusted to have the sizes of the
  // config. With a tap the clips are run one after the other. Errors: kLimit, kInternal.
  Status run(const ClipInput& input, std::size_t clips, std::size_t kept,
             const AdaToskOutputs& outputs, Tap* tap);

  const AdaToskWeights& weights() const { return *weights_; }

 private:
  // What one thread needs for clips of its own.
  struct Worker {
    std::unique_ptr<AdaToskGate> gate;
    std::vector<std::unique_ptr<AdaToskTail>> tails;  // the one in use is the last
  };

  Status make_plans(std::size_t count, std::size_t kept);
  Status use_tail(Worker& worker, std::size_t kept) const;
  void run_clip(Worker& worker, const ClipInput& clip, std::size_t index,
                const AdaToskOutputs& outputs, Tap* tap) const;

  std::shared_ptr<const AdaToskWeights> weights_;
  int layer_threads_ = 1;  // that work on one clip
  std::vector<Worker> workers_;
};

}  // namespace mien::engine
