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
#include "engine/models/soft_mask.h"

namespace mien::engine {

// What a call may ask of a soft mask. Models without one are given the default alone.
struct MaskRequest {
  double budget = 0.0;    // share of the tokens that go past the mask, (0, 1]; 0: the model's
  float* mask = nullptr;  // takes the mask, [clips, S, g, g]; may be null
  std::uint8_t* kept = nullptr;  // takes 1 where a token went on, else 0; as mask
};

// A network with the memory of its passes. One caller at a time.
class ExpressionRunner {
 public:
  virtual ~ExpressionRunner() = default;

  // Makes the primitives of the usual pass and thereby packs the weights. Errors: kLimit,
  // kInternal.
  virtual Status prepare() = 0;

  // rgb: u8 [clips, frames, S, S, 3] of a model that can_read_faces(); logits: [clips, C]. Errors:
  // kInvalidArgument (frames that the model does not take, a budget that is none), kLimit,
  // kInternal.
  virtual Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames,
                        float* logits, const MaskRequest& request) = 0;

  // Logits of single pictures by the image model inside. Only models that reads_stills(). rgb: u8
  // [stills, S, S, 3] -> f32 [stills, C]. Errors: kLimit, kInternal.
  virtual Status still_logits(const std::uint8_t* rgb, std::size_t stills, float* logits);

  // What each frame (or tubelet: embedding_frames() of them) is to the model apart from the others
  // of its clip. Only models with embedding_size() > 0. rgb: u8 [frames, S, S, 3] -> f32 [frames /
  // embedding_frames, embedding_size]. Errors: kLimit, kInternal.
  virtual Status embed(const std::uint8_t* rgb, std::size_t frames, float* embeddings);

  // logits() of frames that embed() saw: f32 [clips, frames / embedding_frames, embedding_size] ->
  // [clips, C]. Errors as logits().
  virtual Status logits_of(const float* embeddings, std::size_t clips, std::size_t frames,
                           float* logits, const MaskRequest& request);
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

  // Whether it is an image model or has one inside; others are shown a still as a clip.
  virtual bool reads_stills() const { return false; }

  // Floats of an embedding, and of how many frames one is; 0: clips cannot be taken apart.
  virtual std::size_t embedding_size() const { return 0; }
  virtual std::size_t embedding_frames() const { return embedding_size() > 0 ? 1 : 0; }

  // Of the soft mask and the share of the tokens that goes past it; models without one have no
  // tokens in it and compute all of their own.
  virtual MaskShape mask_shape() const { return {}; }
  virtual double budget() const { return 1.0; }

  // Error kUnsupported when the model needs more than pixels.
  virtual Status can_read_faces() const = 0;

  virtual std::unique_ptr<ExpressionRunner> make_runner() const = 0;
};

}  // namespace mien::engine
