// The landmark network: MobileFaceNet (NOTES.md section 2; official: landmark/mobilefacenet.py).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/model_config.h"
#include "engine/layers/conv_chain.h"
#include "engine/layers/linear.h"
#include "engine/tap.h"

namespace mien::engine {

// Everything that does not depend on the input. Immutable, shared.
struct MobileFaceNetWeights {
  std::shared_ptr<const Context> context;
  core::ModelConfig config;
  ConvChainWeights chain;  // conv1 .. conv_6_sep
  // The 7x7 global depthwise convolution with its norm, [512, 49] and [512].
  std::vector<float> gdc_filters;
  std::vector<float> gdc_bias;
  std::shared_ptr<const LinearWeights> linear;
  FoldedNorm norm;  // output_layer.bn

  // `tensors` were checked against the config's table. Errors: kLimit, kInternal.
  static Result<std::shared_ptr<const MobileFaceNetWeights>> load(
      std::shared_ptr<const Context> context, const core::ModelConfig& config,
      const core::TensorViewMap& tensors);

  std::size_t outputs() const { return linear->out(); }  // 136
  std::size_t side() const { return static_cast<std::size_t>(config.mobilefacenet.input_size); }
};

// Pictures of the whole network: exactly one of the two is given.
struct PictureInput {
  const std::uint8_t* rgb = nullptr;  // u8 [n, side, side, 3]
  const float* planar = nullptr;      // normalised f32 [n, 3, side, side]
};

// Runs any number of pictures, shared out among the context's threads. One caller at a time.
class MobileFaceNetRunner {
 public:
  explicit MobileFaceNetRunner(std::shared_ptr<const MobileFaceNetWeights> weights);
  ~MobileFaceNetRunner();

  // Makes the primitives of the usual sizes. Errors: kLimit, kInternal.
  Status prepare();

  // points: [n, outputs()], raw numbers of the network. `tap` may be null; it is given the stages
  // by their golden names, by one thread in order. Errors: kLimit, kInternal.
  Status run(const PictureInput& input, std::size_t n, float* points, Tap* tap);

 private:
  class Plan;
  struct Worker;

  Status make_plans(Worker& worker, std::size_t n);
  void run_part(Worker& worker, const PictureInput& input, std::size_t n, float* points, Tap* tap);
  PictureInput advanced(const PictureInput& input, std::size_t n) const;

  std::shared_ptr<const MobileFaceNetWeights> weights_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace mien::engine
