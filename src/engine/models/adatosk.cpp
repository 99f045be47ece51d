#include "engine/models/adatosk.h"

#include <algorithm>
#include <cmath>

#include "engine/guard.h"
#include "engine/models/plan_sizes.h"
#include "engine/parallel.h"

namespace mien::engine {

AdaToskRunner::AdaToskRunner(std::shared_ptr<const AdaToskWeights> weights)
    : weights_(std::move(weights)) {
  const int threads = weights_->context->threads();
  const bool shared = worth_sharing(weights_->macs_per_clip());
  layer_threads_ = shared ? threads : 1;
  workers_.resize(shared ? 1 : static_cast<std::size_t>(threads));
}

// Makes the tail for that many tokens the last, dropping the one longest unused for a new one.
Status AdaToskRunner::use_tail(Worker& worker, std::size_t kept) const {
  auto& tails = worker.tails;
  const auto found = std::find_if(tails.begin(), tails.end(),
                                  [&](const auto& tail) { return tail->kept_count() == kept; });
  if (found != tails.end()) {
    std::rotate(found, found + 1, tails.end());
    return {};
  }
  auto made = std::make_unique<AdaToskTail>(weights_, kept);
  MIEN_TRY(made->allocate());
  if (tails.size() == kHeldBudgets) tails.erase(tails.begin());
  tails.push_back(std::move(made));
  return {};
}

Status AdaToskRunner::make_plans(std::size_t count, std::size_t kept) {
  const ThreadScope scope(layer_threads_);
  for (std::size_t i = 0; i < count; ++i) {
    Worker& worker = workers_[i];
    if (!worker.gate) {
      auto made = std::make_unique<AdaToskGate>(weights_);
      MIEN_TRY(made->allocate());
      worker.gate = std::move(made);
    }
    MIEN_TRY(use_tail(worker, kept));
  }
  return {};
}

Status AdaToskRunner::prepare(std::size_t kept) {
  return guarded([&]() -> Status { return make_plans(1, kept); });
}

void AdaToskRunner::run_clip(Worker& worker, const ClipInput& clip, std::size_t index,
                             const AdaToskOutputs& outputs, Tap* tap) const {
  const std::size_t tokens = weights_->tokens();
  AdaToskTail& tail = *worker.tails.back();
  worker.gate->run(clip, tap);
  tail.run(*worker.gate, outputs.features + index * weights_->width(), tap);
  if (outputs.mask != nullptr) {
    const auto log_mask = worker.gate->log_mask();
    std::transform(log_mask.begin(), log_mask.end(), outputs.mask + index * tokens,
                   [](float v) { return std::exp(v); });
  }
  if (outputs.kept != nullptr) {
    std::uint8_t* flags = outputs.kept + index * tokens;
    std::fill_n(flags, tokens, std::uint8_t{0});
    for (const std::int32_t token : tail.kept()) flags[token] = 1;
  }
}

Status AdaToskRunner::run(const ClipInput& input, std::size_t clips, std::size_t kept,
                          const AdaToskOutputs& outputs, Tap* tap) {
  const TubeletSizes sizes = weights_->clip_sizes();
  return guarded([&]() -> Status {
    const std::size_t parts =
        tap != nullptr ? 1 : std::clamp<std::size_t>(clips, 1, workers_.size());
    MIEN_TRY(make_plans(parts, kept));
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      status.add(guarded([&]() -> Status {
        const ThreadScope scope(layer_threads_);
        for (std::size_t i = clips * part / parts; i < clips * (part + 1) / parts; ++i) {
          run_clip(workers_[part], input.from_clip(sizes, i, weights_->width()), i, outputs, tap);
        }
        return {};
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
