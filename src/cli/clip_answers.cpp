#include "cli/clip_answers.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "core/model_file.h"
#include "learn/data/clip_augment.h"
#include "learn/models/clip_net.h"
#include "learn/state.h"

namespace mien::cli {
namespace {

class EngineAnswers : public ClipAnswers {
 public:
  EngineAnswers(Recognizer model, Recognizer::Session session)
      : model_(std::move(model)), session_(std::move(session)) {}

  const std::vector<std::string>& classes() const override { return model_.classes(); }
  int side() const override { return model_.input_size(); }
  int frames() const override {
    return model_.is_temporal() ? model_.num_frames() : kImageModelFrames;
  }
  std::string name() const override {
    return model_.precision() == Precision::kBf16 ? "engine, bf16" : "engine, f32";
  }
  Status logits(std::span<const std::uint8_t> clip, std::span<float> logits) override {
    return session_.logits(clip, 1, frames(), logits);
  }

 private:
  Recognizer model_;
  Recognizer::Session session_;
};

class ReferenceAnswers : public ClipAnswers {
 public:
  ReferenceAnswers(core::ModelConfig config, std::unique_ptr<learn::ClipNet> net)
      : config_(std::move(config)), net_(std::move(net)) {}

  const std::vector<std::string>& classes() const override { return config_.classes; }
  int side() const override { return config_.input_size(); }
  int frames() const override {
    return config_.input_frames() > 1 ? config_.input_frames() : kImageModelFrames;
  }
  std::string name() const override { return "LibTorch, f32"; }
  Status logits(std::span<const std::uint8_t> clip, std::span<float> logits) override {
    const torch::NoGradGuard no_grad;
    const learn::ClipView view{{.frames = frames(), .height = side(), .width = side()}, clip};
    const torch::Tensor x = learn::plain_clip(view, side(), config_.input).unsqueeze(0);
    const torch::Tensor out = net_->forward(x).logits.contiguous();
    std::copy_n(out.data_ptr<float>(), logits.size(), logits.begin());
    return {};
  }

 private:
  core::ModelConfig config_;
  std::unique_ptr<learn::ClipNet> net_;
};

}  // namespace

Result<std::unique_ptr<ClipAnswers>> engine_answers(const std::string& path, Precision precision,
                                                    int threads) {
  MIEN_ASSIGN(Recognizer model, Recognizer::load(path, {precision, threads}));
  MIEN_ASSIGN(Recognizer::Session session, model.session());
  return std::unique_ptr<ClipAnswers>(
      std::make_unique<EngineAnswers>(std::move(model), std::move(session)));
}

Result<std::unique_ptr<ClipAnswers>> reference_answers(const std::string& path, int threads) {
  if (threads > 0) torch::set_num_threads(threads);
  MIEN_ASSIGN(const core::ModelFile file, core::open_model(path));
  MIEN_ASSIGN(auto net, learn::make_clip_net(file.config, {}));
  if (file.config.arch == core::Arch::kS2D && !file.config.s2d.with_landmark) {
    return make_error(ErrorCode::kUnsupported, "lacks the landmark network that its prompts need",
                      path);
  }
  core::TensorMap f32;
  for (const auto& [name, view] : file.tensors()) {
    MIEN_ASSIGN(f32[name], core::convert_float(view, core::DType::kF32));
  }
  MIEN_TRY(learn::load_state(net->module(), core::views_of(f32), true));
  net->module().eval();
  core::ModelConfig config = file.config;
  for (int i = static_cast<int>(config.classes.size()); i < config.num_classes(); ++i) {
    config.classes.push_back("class " + std::to_string(i));
  }
  return std::unique_ptr<ClipAnswers>(
      std::make_unique<ReferenceAnswers>(std::move(config), std::move(net)));
}

}  // namespace mien::cli
