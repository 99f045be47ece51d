// A model held ready to run one clip or picture after the other: what `mien bench` measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/model_config.h"
#include "core/tensor.h"
#include "engine/options.h"

namespace mien::engine {

// Any kind of model, batch 1, from pixels to answers. Move-only; one thread at a time.
class Forward {
 public:
  // `weights` are copied. `budget`: AdaTosk's share of the tokens, (0, 1]; 0: the model's own.
  // Errors: kBadFormat (weights that do not fit the config), kInvalidArgument (context "budget"),
  // kUnsupported (a budget for another model, S2D without its landmark trunk), kLimit, kInternal.
  static Result<Forward> load(const core::ModelConfig& config, const core::TensorViewMap& weights,
                              const EngineOptions& options, double budget = 0.0);

  Forward(Forward&&) noexcept;
  Forward& operator=(Forward&&) noexcept;
  ~Forward();

  std::size_t pixels() const;   // values of an input: u8 RGB [frames, S, S, 3]
  std::size_t answers() const;  // values of an output: logits [C], or of a landmark net [136]
  Precision precision() const;  // what kAuto became
  int threads() const;

  // Errors: kInvalidArgument (sizes), kLimit, kInternal.
  Status run(std::span<const std::uint8_t> faces, std::span<float> answers);

 private:
  struct State;
  explicit Forward(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mien::engine
