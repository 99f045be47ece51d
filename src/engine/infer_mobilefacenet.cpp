#include "engine/infer_activations.h"
#include "engine/infer_inputs.h"
#include "engine/infer_models.h"
#include "engine/models/mobilefacenet.h"

namespace mien::engine {
namespace {

using core::TensorView;

// Keeps only the map that every call gives, when nothing else was asked for.
class FeatureOnly : public ActivationCollector {
 public:
  using ActivationCollector::ActivationCollector;
  void put(const std::string& name, std::span<const float> values,
           const core::Shape& shape) override {
    if (name == "feat") ActivationCollector::put(name, values, shape);
  }
};

}  // namespace

Result<InferResult> infer_mobilefacenet(const InferJob& job) {
  InferResult result;
  result.precision = job.context->precision();
  MIEN_ASSIGN(auto weights, MobileFaceNetWeights::load(job.context, job.config, job.weights));
  const auto side = static_cast<std::int64_t>(weights->side());
  PictureInput input;
  std::vector<float> planar;
  const TensorView* x = find_input(job.inputs, "x");
  const TensorView* image = find_input(job.inputs, "image_u8");
  if (x != nullptr) {
    MIEN_TRY(check_input("x", *x, false, {-1, 3, side, side}));
    planar = core::to_f32(*x);
    input.planar = planar.data();
  } else if (image != nullptr) {
    MIEN_TRY(check_input("image_u8", *image, true, {-1, side, side, 3}));
    input.rgb = image->as<std::uint8_t>().data();
  } else {
    return make_error(ErrorCode::kInvalidArgument, "there is neither 'x' nor 'image_u8'", "inputs");
  }
  const std::int64_t n = (x != nullptr ? x : image)->shape[0];
  core::Tensor points =
      core::Tensor::zeros(core::DType::kF32, {n, static_cast<std::int64_t>(weights->outputs())});
  MobileFaceNetRunner runner(weights);
  ActivationCollector all(result.outputs);
  FeatureOnly feature(result.outputs);
  const Stopwatch watch;
  MIEN_TRY(runner.run(input, static_cast<std::size_t>(n), points.as<float>().data(),
                      job.activations ? &all : &feature));
  result.forward_ms = watch.elapsed_ms();
  if (job.activations) result.outputs["landmark_f64"] = widened(points);
  result.outputs["landmark"] = std::move(points);
  return result;
}

}  // namespace mien::engine
