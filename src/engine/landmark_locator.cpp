#include <mutex>

#include "core/model_file.h"
#include "engine/guard.h"
#include "engine/models/mobilefacenet.h"
#include "mien/recognizer.hpp"

namespace mien {

using engine::MobileFaceNetRunner;
using engine::MobileFaceNetWeights;

struct LandmarkLocator::Impl {
  std::shared_ptr<const MobileFaceNetWeights> weights;
  // Made while loading (which packs the weights); the first session takes it.
  mutable std::mutex mutex;
  mutable std::unique_ptr<MobileFaceNetRunner> warm;
};

struct LandmarkLocator::Session::State {
  std::shared_ptr<const Impl> impl;
  std::unique_ptr<MobileFaceNetRunner> runner;
};

Result<LandmarkLocator> LandmarkLocator::load(const std::string& path,
                                              const RecognizerOptions& options) {
  return engine::guarded([&]() -> Result<LandmarkLocator> {
    MIEN_ASSIGN(const core::ModelFile model, core::open_model(path));
    if (model.config.arch != core::Arch::kMobileFaceNet) {
      return make_error(ErrorCode::kUnsupported, "is no landmark model", path);
    }
    if (model.config.mobilefacenet.embedding_size % 2 != 0) {
      return make_error(ErrorCode::kUnsupported, "gives an odd number of coordinates", path);
    }
    const engine::EngineOptions wanted{.precision = options.precision, .threads = options.threads};
    MIEN_ASSIGN(auto context, engine::Context::create(engine::options_for(wanted, model.config)));
    const engine::ThreadScope scope(context->threads());  // oneDNN packs weights by as many
    auto weights = MobileFaceNetWeights::load(std::move(context), model.config, model.tensors());
    if (!weights) return weights.error().within(path);
    auto impl = std::make_shared<Impl>();
    impl->weights = std::move(*weights);
    impl->warm = std::make_unique<MobileFaceNetRunner>(impl->weights);
    if (auto status = impl->warm->prepare(); !status) return status.error().within(path);
    return LandmarkLocator(std::move(impl));
  });
}

int LandmarkLocator::input_size() const {
  return impl_->weights->config.mobilefacenet.input_size;
}

int LandmarkLocator::num_points() const {
  return static_cast<int>(impl_->weights->outputs() / 2);
}

Result<LandmarkLocator::Session> LandmarkLocator::session() const {
  return engine::guarded([&]() -> Result<Session> {
    auto state = std::make_unique<Session::State>();
    state->impl = impl_;
    {
      const std::lock_guard lock(impl_->mutex);
      state->runner = std::move(impl_->warm);
    }
    if (!state->runner) {
      state->runner = std::make_unique<MobileFaceNetRunner>(impl_->weights);
      MIEN_TRY(state->runner->prepare());
    }
    return Session(std::move(state));
  });
}

LandmarkLocator::Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
LandmarkLocator::Session::Session(Session&&) noexcept = default;
LandmarkLocator::Session& LandmarkLocator::Session::operator=(Session&&) noexcept = default;
LandmarkLocator::Session::~Session() = default;

Status LandmarkLocator::Session::locate(std::span<const std::uint8_t> crops, int n,
                                        std::span<float> points) {
  const MobileFaceNetWeights& w = *state_->impl->weights;
  const std::size_t count = n < 0 ? 0 : static_cast<std::size_t>(n);
  if (count == 0 || crops.size() != count * w.side() * w.side() * 3 ||
      points.size() != count * w.outputs()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "crops or points do not have the sizes of " + std::to_string(n) + " faces");
  }
  return state_->runner->run({.rgb = crops.data()}, count, points.data(), nullptr);
}

}  // namespace mien
