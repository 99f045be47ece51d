#include "mien/recognizer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/model_file.h"
#include "engine/guard.h"
#include "engine/models/expression_model.h"

namespace mien {
namespace {

using engine::ExpressionModel;
using engine::ExpressionRunner;

Error bad_size(const std::string& what, std::size_t got, std::size_t wanted) {
  return make_error(ErrorCode::kInvalidArgument, what + ": " + std::to_string(got) + " values, " +
                                                     std::to_string(wanted) + " wanted");
}

void softmax(std::span<float> row) {
  const float top = *std::max_element(row.begin(), row.end());
  float sum = 0.0F;
  for (float& v : row) sum += v = std::exp(v - top);
  for (float& v : row) v /= sum;
}

std::vector<std::string> class_names(const core::ModelConfig& config) {
  if (!config.classes.empty()) return config.classes;
  std::vector<std::string> names;
  for (int i = 0; i < config.num_classes(); ++i) names.push_back("class " + std::to_string(i));
  return names;
}

}  // namespace

struct Recognizer::Impl {
  std::shared_ptr<const ExpressionModel> model;
  std::vector<std::string> classes;
  // Made while loading (which packs the weights); the first session takes it.
  mutable std::mutex mutex;
  mutable std::unique_ptr<ExpressionRunner> warm;

  const core::ModelConfig& config() const { return model->config(); }
};

struct Recognizer::Session::State {
  std::shared_ptr<const Impl> impl;
  std::unique_ptr<ExpressionRunner> runner;

  Status check(std::size_t pixels, std::size_t frames) const;
  Status clips(std::span<const std::uint8_t> faces, int clips, int frames, std::span<float> out);
};

Result<Recognizer> Recognizer::load(const std::string& path, const RecognizerOptions& options) {
  return engine::guarded([&]() -> Result<Recognizer> {
    MIEN_ASSIGN(const core::ModelFile model, core::open_model(path));
    MIEN_ASSIGN(auto context, engine::Context::create(
                                  {.precision = options.precision, .threads = options.threads}));
    auto loaded = ExpressionModel::load(std::move(context), model.config, model.tensors());
    if (!loaded) return loaded.error().within(path);
    auto impl = std::make_shared<Impl>();
    impl->model = std::move(*loaded);
    impl->classes = class_names(model.config);
    impl->warm = impl->model->make_runner();
    if (auto status = impl->warm->prepare(); !status) return status.error().within(path);
    return Recognizer(std::move(impl));
  });
}

int Recognizer::input_size() const {
  return impl_->config().input_size();
}

int Recognizer::num_frames() const {
  return impl_->config().input_frames();
}

bool Recognizer::is_temporal() const {
  return impl_->model->is_temporal();
}

int Recognizer::num_classes() const {
  return impl_->config().num_classes();
}

int Recognizer::feature_size() const {
  return static_cast<int>(impl_->model->head().width());
}

Precision Recognizer::precision() const {
  return impl_->model->context().precision();
}

const std::vector<std::string>& Recognizer::classes() const {
  return impl_->classes;
}

const std::vector<float>& Recognizer::face_template() const {
  return impl_->config().face_template;
}

const std::string& Recognizer::provenance_json() const {
  return impl_->config().provenance_json;
}

bool Recognizer::has_landmark_net() const {
  return impl_->model->has_landmark_net();
}

bool Recognizer::reads_faces() const {
  return impl_->model->can_read_faces().ok();
}

Result<Recognizer::Session> Recognizer::session() const {
  return engine::guarded([&]() -> Result<Session> {
    auto state = std::make_unique<Session::State>();
    state->impl = impl_;
    {
      const std::lock_guard lock(impl_->mutex);
      state->runner = std::move(impl_->warm);
    }
    if (!state->runner) {
      state->runner = impl_->model->make_runner();
      MIEN_TRY(state->runner->prepare());
    }
    return Session(std::move(state));
  });
}

Status Recognizer::classify(std::span<const float> features, int frames,
                            std::span<float> logits) const {
  return engine::guarded([&]() -> Status {
    if (frames < 1) return make_error(ErrorCode::kInvalidArgument, "no frame to classify");
    const auto width = static_cast<std::size_t>(feature_size());
    const std::size_t wanted = static_cast<std::size_t>(frames) * width;
    if (features.size() != wanted) return bad_size("features", features.size(), wanted);
    const auto classes = static_cast<std::size_t>(num_classes());
    if (logits.size() != classes) return bad_size("logits", logits.size(), classes);
    std::vector<float> mean(width);
    engine::classify_features(impl_->model->head(), features.data(),
                              static_cast<std::size_t>(frames), mean.data(), logits.data());
    return {};
  });
}

Recognizer::Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recognizer::Session::Session(Session&&) noexcept = default;
Recognizer::Session& Recognizer::Session::operator=(Session&&) noexcept = default;
Recognizer::Session::~Session() = default;

Status Recognizer::Session::State::check(std::size_t pixels, std::size_t frames) const {
  MIEN_TRY(impl->model->can_read_faces());
  const auto side = static_cast<std::size_t>(impl->config().input_size());
  const std::size_t wanted = frames * side * side * 3;
  if (pixels != wanted) return bad_size("faces", pixels, wanted);
  return {};
}

Status Recognizer::Session::State::clips(std::span<const std::uint8_t> faces, int count, int frames,
                                         std::span<float> out) {
  if (count < 1 || frames < 1) {
    return make_error(ErrorCode::kInvalidArgument, "no clip or no frame");
  }
  const auto clip_count = static_cast<std::size_t>(count);
  const auto clip_frames = static_cast<std::size_t>(frames);
  MIEN_TRY(check(faces.size(), clip_count * clip_frames));
  const std::size_t wanted = clip_count * impl->model->head().classes();
  if (out.size() != wanted) return bad_size("logits", out.size(), wanted);
  return runner->logits(faces.data(), clip_count, clip_frames, out.data());
}

Status Recognizer::Session::logits(std::span<const std::uint8_t> faces, int clips, int frames,
                                   std::span<float> logits) {
  return state_->clips(faces, clips, frames, logits);
}

Status Recognizer::Session::probabilities(std::span<const std::uint8_t> faces, int clips,
                                          int frames, std::span<float> probabilities) {
  MIEN_TRY(state_->clips(faces, clips, frames, probabilities));
  const std::size_t classes = state_->impl->model->head().classes();
  for (std::size_t b = 0; b < static_cast<std::size_t>(clips); ++b) {
    softmax(probabilities.subspan(b * classes, classes));
  }
  return {};
}

Status Recognizer::Session::features(std::span<const std::uint8_t> faces, int frames,
                                     std::span<float> features) {
  const ExpressionModel& model = *state_->impl->model;
  if (model.is_temporal()) {
    return make_error(ErrorCode::kUnsupported,
                      "frames of a video model have no features of their own");
  }
  if (frames < 1) return make_error(ErrorCode::kInvalidArgument, "no frame");
  const auto count = static_cast<std::size_t>(frames);
  MIEN_TRY(state_->check(faces.size(), count));
  const std::size_t wanted = count * model.head().width();
  if (features.size() != wanted) return bad_size("features", features.size(), wanted);
  return state_->runner->features(faces.data(), count, features.data());
}

}  // namespace mien
