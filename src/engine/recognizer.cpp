#include "mien/recognizer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/model_file.h"
#include "engine/guard.h"
#include "engine/load_recognizer.h"
#include "engine/models/expression_model.h"

namespace mien {
namespace {

using engine::ExpressionModel;
using engine::ExpressionRunner;
using engine::MaskRequest;

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

// The still and its mirror image, each `frames` times: u8 RGB [2, frames, S, S, 3].
std::vector<std::uint8_t> both_ways(std::span<const std::uint8_t> face, std::size_t side,
                                    std::size_t frames) {
  std::vector<std::uint8_t> mirrored(face.size());
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side; ++column) {
      const std::size_t from = 3 * (row * side + column);
      std::copy_n(face.data() + from, 3, &mirrored[3 * (row * side + side - 1 - column)]);
    }
  }
  std::vector<std::uint8_t> views;
  for (std::size_t i = 0; i < frames; ++i) views.insert(views.end(), face.begin(), face.end());
  for (std::size_t i = 0; i < frames; ++i)
    views.insert(views.end(), mirrored.begin(), mirrored.end());
  return views;
}

// Embeddings [n, size], each `frames` times: [n, frames, size].
std::vector<float> repeated(const std::vector<float>& embeddings, std::size_t size,
                            std::size_t frames) {
  std::vector<float> out;
  for (auto one = embeddings.begin(); one != embeddings.end();
       one += static_cast<std::ptrdiff_t>(size)) {
    for (std::size_t i = 0; i < frames; ++i)
      out.insert(out.end(), one, one + static_cast<std::ptrdiff_t>(size));
  }
  return out;
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
  Result<MaskRequest> mask_request(const ClipOptions& options, std::size_t clips) const;
  Status clips(std::span<const std::uint8_t> faces, int clips, int frames, std::span<float> out,
               const ClipOptions& options);
};

Result<Recognizer> Recognizer::load(const std::string& path, const RecognizerOptions& options) {
  return engine::guarded([&]() -> Result<Recognizer> {
    MIEN_ASSIGN(const core::ModelFile model, core::open_model(path));
    return engine::RecognizerLoader::load(
        model, {.precision = options.precision, .threads = options.threads});
  });
}

Result<Recognizer> engine::RecognizerLoader::load(const core::ModelFile& model,
                                                  const EngineOptions& options) {
  return guarded([&]() -> Result<Recognizer> {
    MIEN_ASSIGN(auto context, Context::create(options_for(options, model.config)));
    const ThreadScope scope(context->threads());  // oneDNN packs weights by as many
    auto loaded = ExpressionModel::load(std::move(context), model.config, model.tensors());
    if (!loaded) return loaded.error().within(model.path);
    auto impl = std::make_shared<Recognizer::Impl>();
    impl->model = std::move(*loaded);
    impl->classes = class_names(model.config);
    impl->warm = impl->model->make_runner();
    if (auto status = impl->warm->prepare(); !status) return status.error().within(model.path);
    return Recognizer(std::move(impl));
  });
}

const char* precision_name(Precision precision) {
  switch (precision) {
    case Precision::kAuto: break;
    case Precision::kF32: return "f32";
    case Precision::kBf16: return "bf16";
    case Precision::kInt8: return "int8";
  }
  return "auto";
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

int Recognizer::embedding_size() const {
  return static_cast<int>(impl_->model->embedding_size());
}

int Recognizer::embedding_frames() const {
  return static_cast<int>(impl_->model->embedding_frames());
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

int Recognizer::mask_slots() const {
  return static_cast<int>(impl_->model->mask_shape().slots);
}

int Recognizer::mask_grid() const {
  return static_cast<int>(impl_->model->mask_shape().grid);
}

double Recognizer::budget() const {
  return impl_->model->budget();
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

Result<MaskRequest> Recognizer::Session::State::mask_request(const ClipOptions& options,
                                                             std::size_t clips) const {
  MaskRequest request;
  const std::size_t tokens = impl->model->mask_shape().tokens();
  if (tokens == 0) {
    const bool plain = options.budget == 0.0 && options.mask.empty() && options.kept.empty();
    if (plain) return request;
    return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget");
  }
  const auto check_size = [&](const char* what, std::size_t size) -> Status {
    if (size == 0 || size == clips * tokens) return {};
    return bad_size(what, size, clips * tokens);
  };
  MIEN_TRY(check_size("mask", options.mask.size()));
  MIEN_TRY(check_size("kept", options.kept.size()));
  request.budget = options.budget;
  if (!options.mask.empty()) request.mask = options.mask.data();
  if (!options.kept.empty()) request.kept = options.kept.data();
  return request;
}

Status Recognizer::Session::State::clips(std::span<const std::uint8_t> faces, int count, int frames,
                                         std::span<float> out, const ClipOptions& options) {
  if (count < 1 || frames < 1) {
    return make_error(ErrorCode::kInvalidArgument, "no clip or no frame");
  }
  const auto clip_count = static_cast<std::size_t>(count);
  const auto clip_frames = static_cast<std::size_t>(frames);
  MIEN_TRY(check(faces.size(), clip_count * clip_frames));
  const std::size_t wanted = clip_count * impl->model->head().classes();
  if (out.size() != wanted) return bad_size("logits", out.size(), wanted);
  MIEN_ASSIGN(const MaskRequest request, mask_request(options, clip_count));
  return runner->logits(faces.data(), clip_count, clip_frames, out.data(), request);
}

Status Recognizer::Session::logits(std::span<const std::uint8_t> faces, int clips, int frames,
                                   std::span<float> logits, const ClipOptions& options) {
  return state_->clips(faces, clips, frames, logits, options);
}

Status Recognizer::Session::probabilities(std::span<const std::uint8_t> faces, int clips,
                                          int frames, std::span<float> probabilities,
                                          const ClipOptions& options) {
  MIEN_TRY(state_->clips(faces, clips, frames, probabilities, options));
  const std::size_t classes = state_->impl->model->head().classes();
  for (std::size_t b = 0; b < static_cast<std::size_t>(clips); ++b) {
    softmax(probabilities.subspan(b * classes, classes));
  }
  return {};
}

Status Recognizer::Session::still_logits(std::span<const std::uint8_t> faces, int count,
                                         std::span<float> logits, double budget) {
  const Impl& impl = *state_->impl;
  const ClipOptions options{.budget = budget};
  if (const auto request = state_->mask_request(options, 1); !request) return request.error();
  if (count < 1) return make_error(ErrorCode::kInvalidArgument, "no still");
  const auto stills = static_cast<std::size_t>(count);
  MIEN_TRY(state_->check(faces.size(), stills));
  const std::size_t classes = impl.model->head().classes();
  if (logits.size() != stills * classes) {
    return bad_size("logits", logits.size(), stills * classes);
  }
  const auto side = static_cast<std::size_t>(impl.config().input_size());
  const auto frames = static_cast<std::size_t>(impl.config().input_frames());
  const std::size_t size = impl.model->embedding_size();
  const std::size_t part = impl.model->embedding_frames();
  std::vector<float> views(2 * classes);
  for (std::size_t i = 0; i < stills; ++i) {
    const auto face = faces.subspan(i * side * side * 3, side * side * 3);
    if (impl.model->reads_stills()) {
      MIEN_TRY(state_->runner->still_logits(both_ways(face, side, 1).data(), 2, views.data()));
    } else if (size == 0) {
      MIEN_TRY(
          this->logits(both_ways(face, side, frames), 2, static_cast<int>(frames), views, options));
    } else {
      std::vector<float> embeddings(2 * size);
      MIEN_TRY(embed(both_ways(face, side, part), static_cast<int>(2 * part), embeddings));
      MIEN_TRY(logits_of(repeated(embeddings, size, frames / part), 2, static_cast<int>(frames),
                         views, options));
    }
    for (std::size_t c = 0; c < classes; ++c) {
      logits[i * classes + c] = 0.5F * (views[c] + views[classes + c]);
    }
  }
  return {};
}

Status Recognizer::Session::embed(std::span<const std::uint8_t> faces, int frames,
                                  std::span<float> embeddings) {
  const std::size_t size = state_->impl->model->embedding_size();
  if (size == 0) {
    return make_error(ErrorCode::kUnsupported, "the model's clips cannot be taken apart");
  }
  const std::size_t part = state_->impl->model->embedding_frames();
  const auto count = static_cast<std::size_t>(frames);
  if (frames < 1 || count % part != 0) {
    return make_error(ErrorCode::kInvalidArgument, std::to_string(frames) +
                                                       " frames, a positive multiple of " +
                                                       std::to_string(part) + " wanted");
  }
  MIEN_TRY(state_->check(faces.size(), count));
  if (embeddings.size() != count / part * size) {
    return bad_size("embeddings", embeddings.size(), count / part * size);
  }
  return state_->runner->embed(faces.data(), count, embeddings.data());
}

Status Recognizer::Session::logits_of(std::span<const float> embeddings, int clips, int frames,
                                      std::span<float> logits, const ClipOptions& options) {
  const ExpressionModel& model = *state_->impl->model;
  const std::size_t size = model.embedding_size();
  if (size == 0) {
    return make_error(ErrorCode::kUnsupported, "the model's clips cannot be taken apart");
  }
  const std::size_t part = model.embedding_frames();
  if (clips < 1 || frames < 1 || static_cast<std::size_t>(frames) % part != 0) {
    return make_error(ErrorCode::kInvalidArgument, "no clip, or a number of frames that is none");
  }
  const auto clip_count = static_cast<std::size_t>(clips);
  const auto clip_frames = static_cast<std::size_t>(frames);
  const std::size_t wanted = clip_count * (clip_frames / part) * size;
  if (embeddings.size() != wanted) return bad_size("embeddings", embeddings.size(), wanted);
  const std::size_t classes = clip_count * model.head().classes();
  if (logits.size() != classes) return bad_size("logits", logits.size(), classes);
  MIEN_ASSIGN(const MaskRequest request, state_->mask_request(options, clip_count));
  return state_->runner->logits_of(embeddings.data(), clip_count, clip_frames, logits.data(),
                                   request);
}

}  // namespace mien
