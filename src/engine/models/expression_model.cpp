#include "engine/models/expression_model.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/models/s2d.h"
#include "engine/models/videomae.h"

namespace mien::engine {
namespace {

class S2DExpressionRunner : public ExpressionRunner {
 public:
  explicit S2DExpressionRunner(const std::shared_ptr<const S2DWeights>& weights)
      : runner_(weights), mean_(weights->width()) {}

  Status prepare() override {
    const S2DWeights& w = runner_.weights();
    const std::size_t frames =
        w.sizes().temporal ? static_cast<std::size_t>(w.sizes().num_frames) : 1;
    return guarded([&]() -> Status {
      features_.resize(frames * w.width());
      return runner_.prepare();
    });
  }

  Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames,
                float* logits) override {
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

  Status features(const std::uint8_t* rgb, std::size_t frames, float* features) override {
    if (runner_.weights().sizes().temporal) {
      return make_error(ErrorCode::kUnsupported,
                        "frames of a video model have no features of their own");
    }
    return runner_.run({.rgb = rgb}, frames, features, nullptr);
  }

 private:
  S2DRunner runner_;
  std::vector<float> features_;  // of one clip; grows to the longest seen
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

  Status logits(const std::uint8_t* rgb, std::size_t clips, std::size_t frames,
                float* logits) override {
    const VideoMaeWeights& w = runner_.weights();
    MIEN_TRY(w.check_frames(frames));
    return guarded([&]() -> Status {
      features_.resize(std::max(features_.size(), clips * w.width()));
      MIEN_TRY(runner_.run({.rgb = rgb}, clips, features_.data(), nullptr));
      for (std::size_t b = 0; b < clips; ++b) {
        classify_feature(w.head, features_.data() + b * w.width(), logits + b * w.head.classes());
      }
      return {};
    });
  }

  Status features(const std::uint8_t*, std::size_t, float*) override {
    return make_error(ErrorCode::kUnsupported,
                      "frames of a video model have no features of their own");
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

}  // namespace

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
      case core::Arch::kMobileFaceNet: break;
    }
    return make_error(ErrorCode::kUnsupported,
                      "is a landmark model, an expression model is needed");
  });
}

}  // namespace mien::engine
