#include "engine/models/expression_model.h"

#include <algorithm>
#include <optional>

#include "engine/guard.h"
#include "engine/models/adatosk.h"
#include "engine/models/adatosk_embedder.h"
#include "engine/models/s2d.h"
#include "engine/models/s2d_embedder.h"
#include "engine/models/videomae.h"

namespace mien::engine {
namespace {

Error no_embeddings() {
  return make_error(ErrorCode::kUnsupported, "the model's clips cannot be taken apart");
}

// A classifier over one feature per clip.
void classify_clips(const Head& head, const std::vector<float>& features, std::size_t clips,
                    float* logits) {
  for (std::size_t b = 0; b < clips; ++b) {
    classify_feature(head, features.data() + b * head.width(), logits + b * head.classes());
  }
}

class S2DExpressionRunner : public ExpressionRunner {
 public:
  explicit S2DExpressionRunner(const std::shared_ptr<const S2DWeights>& weights)
      : runner_(weights), embedder_(weights), mean_(weights->width()) {}

  Status prepare() override {
    const S2DWeights& w = runner_.weights();
    const std::size_t frames =
        w.sizes().temporal ? static_cast<std::size_t>(w.sizes().num_frames) : 1;
    return guarded([&]() -> Status {
      features_.resize(frames * w.width());
      return runner_.prepare();
    });
  }

  Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames, float* logits,
                const MaskRequest&) override {
    const S2DWeights& w = runner_.weights();
    return guarded([&]() -> Status {
      features_.resize(std::max(features_.size(), frames * w.width()));
      for (std::size_t b = 0; b < clips; ++b) {
        const S2DInput input = S2DInput{.rgb = rgb}.from_frame(w, b * frames);
        MIEN_TRY(runner_.run(input, frames, features_.data(), nullptr));
        classify_features(w.head, features_.data(), frames, mean_.data(), logits + b * w.classes());
      }
      return {};
    });
  }

  Status still_logits(const std::uint8_t* rgb, std::size_t stills, float* logits) override {
    const S2DWeights& w = runner_.weights();
    return guarded([&]() -> Status {
      if (w.sizes().temporal && !stills_) stills_.emplace(w.image_model());
      S2DRunner& image = stills_ ? *stills_ : runner_;
      features_.resize(std::max(features_.size(), stills * w.width()));
      MIEN_TRY(image.run({.rgb = rgb}, stills, features_.data(), nullptr));
      classify_clips(w.head, features_, stills, logits);
      return {};
    });
  }

  // An image model's frames are apart to the end, a video model's until the first prompt.
  Status embed(const std::uint8_t* rgb, std::size_t frames, float* embeddings) override {
    if (runner_.weights().sizes().temporal) return embedder_.run(rgb, frames, embeddings);
    return runner_.run({.rgb = rgb}, frames, embeddings, nullptr);
  }

  Status logits_of(const float* embeddings, std::size_t clips, std::size_t frames, float* logits,
                   const MaskRequest&) override {
    const S2DWeights& w = runner_.weights();
    return guarded([&]() -> Status {
      features_.resize(std::max(features_.size(), frames * w.width()));
      for (std::size_t b = 0; b < clips; ++b) {
        const float* features = embeddings + b * frames * w.width();
        if (w.sizes().temporal) {
          const S2DInput input{.tokens = embeddings + b * frames * s2d_frame_values(w)};
          MIEN_TRY(runner_.run(input, frames, features_.data(), nullptr));
          features = features_.data();
        }
        classify_features(w.head, features, frames, mean_.data(), logits + b * w.classes());
      }
      return {};
    });
  }

 private:
  S2DRunner runner_;
  std::optional<S2DRunner> stills_;  // of the image model inside a video model, once asked
  S2DEmbedder embedder_;             // video models
  std::vector<float> features_;      // of one clip; grows to the longest seen
  std::vector<float> mean_;
};

class S2DExpression : public ExpressionModel {
 public:
  explicit S2DExpression(std::shared_ptr<const S2DWeights> weights)
      : weights_(std::move(weights)) {}

  const core::ModelConfig& config() const override { return weights_->config; }
  const Context& context() const override { return *weights_->context; }
  const Head& head() const override { return weights_->head; }
  bool is_temporal() const override { return weights_->sizes().temporal; }
  bool has_landmark_net() const override { return weights_->landmark.has_value(); }
  bool reads_stills() const override {
    return !is_temporal() || weights_->sizes().keeps_image_model;
  }
  std::size_t embedding_size() const override {
    return is_temporal() ? s2d_frame_values(*weights_) : weights_->width();
  }

  Status can_read_faces() const override {
    if (has_landmark_net()) return {};
    return make_error(ErrorCode::kUnsupported,
                      "the model file has no landmark network, which S2D's prompts need");
  }

  std::unique_ptr<ExpressionRunner> make_runner() const override {
    return std::make_unique<S2DExpressionRunner>(weights_);
  }

 private:
  std::shared_ptr<const S2DWeights> weights_;
};

class VideoMaeExpressionRunner : public ExpressionRunner {
 public:
  explicit VideoMaeExpressionRunner(const std::shared_ptr<const VideoMaeWeights>& weights)
      : runner_(weights), features_(weights->width()) {}

  Status prepare() override { return runner_.prepare(); }

  Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames, float* logits,
                const MaskRequest&) override {
    const VideoMaeWeights& w = runner_.weights();
    MIEN_TRY(w.check_frames(frames));
    return guarded([&]() -> Status {
      features_.resize(std::max(features_.size(), clips * w.width()));
      MIEN_TRY(runner_.run({.rgb = rgb}, clips, features_.data(), nullptr));
      classify_clips(w.head, features_, clips, logits);
      return {};
    });
  }

 private:
  VideoMaeRunner runner_;
  std::vector<float> features_;  // of the clips of a call; grows to the most seen
};

class VideoMaeExpression : public ExpressionModel {
 public:
  explicit VideoMaeExpression(std::shared_ptr<const VideoMaeWeights> weights)
      : weights_(std::move(weights)) {}

  const core::ModelConfig& config() const override { return weights_->config; }
  const Context& context() const override { return *weights_->context; }
  const Head& head() const override { return weights_->head; }
  bool is_temporal() const override { return true; }
  bool has_landmark_net() const override { return false; }

  Status can_read_faces() const override {
    if (weights_->sizes().in_chans != 2) return {};
    return make_error(ErrorCode::kUnsupported, "a model of two channels reads no pixels");
  }

  std::unique_ptr<ExpressionRunner> make_runner() const override {
    return std::make_unique<VideoMaeExpressionRunner>(weights_);
  }

 private:
  std::shared_ptr<const VideoMaeWeights> weights_;
};

class AdaToskExpressionRunner : public ExpressionRunner {
 public:
  explicit AdaToskExpressionRunner(const std::shared_ptr<const AdaToskWeights>& weights)
      : runner_(weights), embedder_(weights), features_(weights->width()) {}

  Status prepare() override {
    MIEN_ASSIGN(const std::size_t kept, runner_.weights().kept_tokens(0.0));
    return runner_.prepare(kept);
  }

  Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames, float* logits,
                const MaskRequest& request) override {
    return run({.rgb = rgb}, clips, frames, logits, request);
  }

  Status embed(const std::uint8_t* rgb, std::size_t frames, float* embeddings) override {
    return embedder_.run(rgb, frames / runner_.weights().clip_sizes().tubelet, embeddings);
  }

  Status logits_of(const float* embeddings, std::size_t clips, std::size_t frames, float* logits,
                   const MaskRequest& request) override {
    return run({.tokens = embeddings}, clips, frames, logits, request);
  }

 private:
  Status run(const ClipInput& input, std::size_t clips, std::size_t frames, float* logits,
             const MaskRequest& request) {
    const AdaToskWeights& w = runner_.weights();
    MIEN_TRY(w.check_frames(frames));
    MIEN_ASSIGN(const std::size_t kept, w.kept_tokens(request.budget));
    return guarded([&]() -> Status {
      features_.resize(std::max(features_.size(), clips * w.width()));
      const AdaToskOutputs outputs{features_.data(), request.mask, request.kept};
      MIEN_TRY(runner_.run(input, clips, kept, outputs, nullptr));
      classify_clips(w.head, features_, clips, logits);
      return {};
    });
  }

  AdaToskRunner runner_;
  AdaToskEmbedder embedder_;
  std::vector<float> features_;  // of the clips of a call; grows to the most seen
};

class AdaToskExpression : public ExpressionModel {
 public:
  explicit AdaToskExpression(std::shared_ptr<const AdaToskWeights> weights)
      : weights_(std::move(weights)) {}

  const core::ModelConfig& config() const override { return weights_->config; }
  const Context& context() const override { return *weights_->context; }
  const Head& head() const override { return weights_->head; }
  bool is_temporal() const override { return true; }
  bool has_landmark_net() const override { return false; }
  MaskShape mask_shape() const override { return weights_->mask_shape(); }
  double budget() const override { return weights_->sizes().budget; }
  std::size_t embedding_size() const override { return weights_->slot_values(); }
  std::size_t embedding_frames() const override { return weights_->clip_sizes().tubelet; }
  Status can_read_faces() const override { return {}; }

  std::unique_ptr<ExpressionRunner> make_runner() const override {
    return std::make_unique<AdaToskExpressionRunner>(weights_);
  }

 private:
  std::shared_ptr<const AdaToskWeights> weights_;
};

}  // namespace

Status ExpressionRunner::still_logits(const std::uint8_t*, std::size_t, float*) {
  return make_error(ErrorCode::kUnsupported, "the model has no image model inside");
}

Status ExpressionRunner::embed(const std::uint8_t*, std::size_t, float*) {
  return no_embeddings();
}

Status ExpressionRunner::logits_of(const float*, std::size_t, std::size_t, float*,
                                   const MaskRequest&) {
  return no_embeddings();
}

Result<std::shared_ptr<const ExpressionModel>> ExpressionModel::load(
    std::shared_ptr<const Context> context, const core::ModelConfig& config,
    const core::TensorViewMap& tensors) {
  using Model = std::shared_ptr<const ExpressionModel>;
  return guarded([&]() -> Result<Model> {
    switch (config.arch) {
      case core::Arch::kS2D: {
        MIEN_ASSIGN(auto weights, S2DWeights::load(std::move(context), config, tensors));
        return Model(std::make_shared<const S2DExpression>(std::move(weights)));
      }
      case core::Arch::kVideoMae: {
        MIEN_ASSIGN(auto weights, VideoMaeWeights::load(std::move(context), config, tensors));
        return Model(std::make_shared<const VideoMaeExpression>(std::move(weights)));
      }
      case core::Arch::kAdaTosk: {
        MIEN_ASSIGN(auto weights, AdaToskWeights::load(std::move(context), config, tensors));
        return Model(std::make_shared<const AdaToskExpression>(std::move(weights)));
      }
      case core::Arch::kMobileFaceNet: break;
    }
    return make_error(ErrorCode::kUnsupported,
                      "is a landmark model, an expression model is needed");
  });
}

}  // namespace mien::engine
