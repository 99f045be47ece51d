#include "engine/forward.h"

#include "core/tensor_table.h"
#include "engine/context.h"
#include "engine/guard.h"
#include "engine/models/expression_model.h"
#include "engine/models/mobilefacenet.h"

namespace mien::engine {

struct Forward::State {
  std::shared_ptr<const Context> context;
  core::ModelConfig config;
  double budget = 0.0;
  // One of the two.
  std::shared_ptr<const ExpressionModel> model;
  std::unique_ptr<ExpressionRunner> expression;
  std::unique_ptr<MobileFaceNetRunner> landmarks;

  std::size_t frames() const { return static_cast<std::size_t>(config.input_frames()); }

  Status load_expression(const core::TensorViewMap& weights) {
    MIEN_ASSIGN(model, ExpressionModel::load(context, config, weights));
    MIEN_TRY(model->can_read_faces());
    const bool masked = model->mask_shape().tokens() > 0;
    if (budget != 0.0 && !masked) {
      return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget");
    }
    if (budget != 0.0 && !(budget > 0.0 && budget <= 1.0)) {
      return make_error(ErrorCode::kInvalidArgument, "must be above 0 and at most 1", "budget");
    }
    expression = model->make_runner();
    return expression->prepare();
  }

  Status load_landmarks(const core::TensorViewMap& weights) {
    if (budget != 0.0) {
      return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget");
    }
    MIEN_ASSIGN(auto loaded, MobileFaceNetWeights::load(context, config, weights));
    landmarks = std::make_unique<MobileFaceNetRunner>(std::move(loaded));
    return landmarks->prepare();
  }
};

Result<Forward> Forward::load(const core::ModelConfig& config, const core::TensorViewMap& weights,
                              const EngineOptions& options, double budget) {
  return guarded([&]() -> Result<Forward> {
    MIEN_TRY(core::validate(config));
    MIEN_TRY(core::check_tensors(core::tensor_table(config), weights));
    auto state = std::make_unique<State>();
    MIEN_ASSIGN(state->context, Context::create(options_for(options, config)));
    state->config = config;
    state->budget = budget;
    const bool landmarks = config.arch == core::Arch::kMobileFaceNet;
    MIEN_TRY(landmarks ? state->load_landmarks(weights) : state->load_expression(weights));
    return Forward(std::move(state));
  });
}

Forward::Forward(std::unique_ptr<State> state) : state_(std::move(state)) {}
Forward::Forward(Forward&&) noexcept = default;
Forward& Forward::operator=(Forward&&) noexcept = default;
Forward::~Forward() = default;

std::size_t Forward::pixels() const {
  const auto side = static_cast<std::size_t>(state_->config.input_size());
  return state_->frames() * side * side * 3;
}

std::size_t Forward::answers() const {
  const core::ModelConfig& config = state_->config;
  const int count = state_->landmarks ? config.mobilefacenet.embedding_size : config.num_classes();
  return static_cast<std::size_t>(count);
}

Precision Forward::precision() const {
  return state_->context->precision();
}

int Forward::threads() const {
  return state_->context->threads();
}

Status Forward::run(std::span<const std::uint8_t> faces, std::span<float> out) {
  if (faces.size() != pixels() || out.size() != answers()) {
    return make_error(ErrorCode::kInvalidArgument, "input or output has not the model's size");
  }
  if (state_->landmarks) {
    return state_->landmarks->run({.rgb = faces.data()}, 1, out.data(), nullptr);
  }
  const MaskRequest request{.budget = state_->budget};
  return state_->expression->logits(faces.data(), 1, state_->frames(), out.data(), request);
}

}  // namespace mien::engine
