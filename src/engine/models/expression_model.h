// What the networks that recognise expressions have in common, seen from Recognizer: faces in,
// logits out, whatever the architecture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/model_config.h"
#include "core/tensor.h"
#include "engine/context.h"
#include "engine/models/head.h"

namespace mien::engine {

// A network with the memory of its passes. One caller at a time.
class ExpressionRunner {
 public:
  virtual ~ExpressionRunner() = default;

  // Makes the primitives of the usual pass and thereby packs the weights. Errors: kLimit,
  // kInternal.
  virtual Status prepare() = 0;

  // rgb: u8 [clips, frames, S, S, 3] of a model that can_read_faces(); logits: [clips, C]. Errors:
  // kInvalidArgument (frames that the model does not take), kLimit, kInternal.
  virtual Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames,
                        float* logits) = 0;

  // Image models: rgb u8 [frames, S, S, 3] -> [frames, D]. Errors as logits(), kUnsupported in
  // video models.
  virtual Status features(const std::uint8_t* rgb, std::size_t frames, float* features) = 0;
};

// Immutable weights, shared by runners.
class ExpressionModel {
 public:
  // `tensors` were checked against the config's table. Errors: kUnsupported (another kind of
  // network, sizes that the engine lacks), kLimit, kInternal.
  static Result<std::shared_ptr<const ExpressionModel>> load(std::shared_ptr<const Context> context,
                                                             const core::ModelConfig& config,
                                                             const core::TensorViewMap& tensors);

  virtual ~ExpressionModel() = default;

  virtual const core::ModelConfig& config() const = 0;
  virtual const Context& context() const = 0;
  virtual const Head& head() const = 0;  // over features of length D

  virtual bool is_temporal() const = 0;  // the frames of a clip see each other
  virtual bool has_landmark_net() const = 0;

  // Error kUnsupported when the model needs more than pixels.
  virtual Status can_read_faces() const = 0;

  virtual std::unique_ptr<ExpressionRunner> make_runner() const = 0;
};

}  // namespace mien::engine
