#include "engine/infer.h"

#include "engine/guard.h"
#include "engine/infer_models.h"

namespace mien::engine {

Result<InferResult> infer_tensors(const core::ModelConfig& config,
                                  const core::TensorViewMap& weights,
                                  const core::TensorViewMap& inputs, const InferOptions& options) {
  return guarded([&]() -> Result<InferResult> {
    MIEN_TRY(core::validate(config));
    MIEN_TRY(core::check_tensors(core::tensor_table(config), weights));
    MIEN_ASSIGN(auto context, Context::create(options_for(options.engine, config)));
    if (options.budget != 0.0 && config.arch != core::Arch::kAdaTosk) {
      return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget");
    }
    const InferJob job{std::move(context),  config,        weights, inputs,
                       options.activations, options.budget};
    switch (config.arch) {
      case core::Arch::kMobileFaceNet: return infer_mobilefacenet(job);
      case core::Arch::kS2D: return infer_s2d(job);
      case core::Arch::kVideoMae: return infer_videomae(job);
      case core::Arch::kAdaTosk: return infer_adatosk(job);
    }
    return make_error(ErrorCode::kUnsupported, "of an unknown architecture", "config");
  });
}

}  // namespace mien::engine
