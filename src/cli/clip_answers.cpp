#include "cli/clip_answers.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/adatosk_spec.h"
#include "core/model_file.h"
#include "core/rng.h"
#include "learn/data/clip_augment.h"
#include "learn/models/adatosk.h"
#include "learn/models/clip_net.h"
#include "learn/state.h"
#include "learn/threads.h"

namespace mien::cli {
namespace {

class EngineAnswers : public ClipAnswers {
 public:
  EngineAnswers(Recognizer model, Recognizer::Session session, double budget)
      : model_(std::move(model)), session_(std::move(session)), budget_(budget) {}

  const std::vector<std::string>& classes() const override { return model_.classes(); }
  int side() const override { return model_.input_size(); }
  int frames() const override {
    return model_.is_temporal() ? model_.num_frames() : kImageModelFrames;
  }
  std::string name() const override {
    return std::string("engine, ") + precision_name(model_.precision());
  }
  std::size_t mask_slots() const override { return static_cast<std::size_t>(model_.mask_slots()); }
  double budget() const override { return budget_ > 0.0 ? budget_ : model_.budget(); }
  Status logits(std::span<const std::uint8_t> clip, std::uint64_t /*seed*/, std::span<float> logits,
                ClipMask* mask) override {
    ClipOptions options;
    options.budget = budget_;
    if (mask != nullptr) {
      const auto grid = static_cast<std::size_t>(model_.mask_grid());
      mask->mask.resize(mask_slots() * grid * grid);
      mask->kept.resize(mask->mask.size());
      options.mask = mask->mask;
      options.kept = mask->kept;
    }
    return session_.logits(clip, 1, frames(), logits, options);
  }

 private:
  Recognizer model_;
  Recognizer::Session session_;
  double budget_;  // 0: the model's own
};

// What any model has in LibTorch.
class ReferenceAnswers : public ClipAnswers {
 public:
  explicit ReferenceAnswers(core::ModelConfig config) : config_(std::move(config)) {}

  const std::vector<std::string>& classes() const override { return config_.classes; }
  int side() const override { return config_.input_size(); }
  int frames() const override {
    return config_.input_frames() > 1 ? config_.input_frames() : kImageModelFrames;
  }
  std::string name() const override { return "LibTorch, f32"; }

 protected:
  const core::ModelConfig& config() const { return config_; }

  // [1, 3, frames, side, side].
  torch::Tensor input_of(std::span<const std::uint8_t> clip) const {
    const learn::ClipView view{{.frames = frames(), .height = side(), .width = side()}, clip};
    return learn::plain_clip(view, side(), config_.input).unsqueeze(0);
  }

  static void copy_floats(const torch::Tensor& from, std::span<float> to) {
    const torch::Tensor whole = from.contiguous();
    std::copy_n(whole.data_ptr<float>(), to.size(), to.begin());
  }

 private:
  core::ModelConfig config_;
};

class PlainReference : public ReferenceAnswers {
 public:
  PlainReference(core::ModelConfig config, std::unique_ptr<learn::ClipNet> net)
      : ReferenceAnswers(std::move(config)), net_(std::move(net)) {}

  Status logits(std::span<const std::uint8_t> clip, std::uint64_t /*seed*/, std::span<float> logits,
                ClipMask* mask) override {
    const torch::NoGradGuard no_grad;
    copy_floats(net_->forward(input_of(clip)).logits, logits);
    if (mask != nullptr) *mask = {};
    return {};
  }

 private:
  std::unique_ptr<learn::ClipNet> net_;
};

// The first `count` of `numbers`, all orders equally likely.
void draw_first(std::vector<std::int64_t>& numbers, std::size_t count, core::Rng& rng) {
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(numbers[i], numbers[i + rng.below(numbers.size() - i)]);
  }
}

std::vector<std::int64_t> counted(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

// `count` of the tokens' numbers, drawn as `choice` says, ascending: [1, count] i64.
torch::Tensor draw_tokens(const core::VideoMaeConfig& sizes, TokenChoice choice, std::int64_t count,
                          std::uint64_t seed) {
  core::Rng rng(seed);
  // What is drawn is a run of tokens: one, or a slot.
  const std::int64_t run = choice == TokenChoice::kRandomSlots ? sizes.tokens() / sizes.slots() : 1;
  std::vector<std::int64_t> runs = counted(0, sizes.tokens() / run);
  const std::int64_t drawn = (count + run - 1) / run;
  draw_first(runs, static_cast<std::size_t>(drawn), rng);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < drawn; ++i) {
    std::vector<std::int64_t> tokens = counted(runs[static_cast<std::size_t>(i)] * run, run);
    const std::int64_t wanted = std::min(run, count - i * run);
    if (wanted < run) draw_first(tokens, static_cast<std::size_t>(wanted), rng);
    kept.insert(kept.end(), tokens.begin(), tokens.begin() + wanted);
  }
  std::sort(kept.begin(), kept.end());
  return torch::tensor(kept, torch::kLong).unsqueeze(0);
}

class AdaToskReference : public ReferenceAnswers {
 public:
  AdaToskReference(core::ModelConfig config, learn::AdaTosk net, const ClipAnswerOptions& options)
      : ReferenceAnswers(std::move(config)), net_(std::move(net)), options_(options) {}

  bool draws() const override { return options_.choice != TokenChoice::kLargestMask; }
  std::string name() const override {
    switch (options_.choice) {
      case TokenChoice::kRandom: return "LibTorch, f32, tokens dropped at random";
      case TokenChoice::kRandomSlots: return "LibTorch, f32, slots dropped at random";
      case TokenChoice::kLargestMask: break;
    }
    return "LibTorch, f32";
  }
  std::size_t mask_slots() const override {
    return static_cast<std::size_t>(config().adatosk.vit.slots());
  }
  double budget() const override {
    return options_.budget > 0.0 ? options_.budget : config().adatosk.budget;
  }

  Status logits(std::span<const std::uint8_t> clip, std::uint64_t seed, std::span<float> logits,
                ClipMask* mask) override {
    const torch::NoGradGuard no_grad;
    const std::int64_t tokens = config().adatosk.vit.tokens();
    learn::AdaToskPass pass;
    pass.budget = budget();
    if (draws()) {
      pass.keep = draw_tokens(config().adatosk.vit, options_.choice,
                              core::kept_tokens(pass.budget, tokens), seed);
    }
    const learn::AdaToskImpl::Output out = net_->forward(input_of(clip), pass);
    copy_floats(out.logits, logits);
    if (mask != nullptr) *mask = mask_of(out, static_cast<std::size_t>(tokens));
    return {};
  }

 private:
  static ClipMask mask_of(const learn::AdaToskImpl::Output& out, std::size_t tokens) {
    ClipMask mask;
    mask.mask.assign(tokens, 1.0F);
    if (out.log_mask.defined()) copy_floats(out.log_mask.exp(), mask.mask);
    mask.kept.assign(tokens, static_cast<std::uint8_t>(out.kept.defined() ? 0 : 1));
    if (out.kept.defined()) {
      const torch::Tensor kept = out.kept.contiguous();
      const auto* places = kept.data_ptr<std::int64_t>();
      for (std::int64_t i = 0; i < kept.numel(); ++i) {
        mask.kept[static_cast<std::size_t>(places[i])] = 1;
      }
    }
    return mask;
  }

  learn::AdaTosk net_;
  ClipAnswerOptions options_;
};

// The weights of a file, as f32, in a module that is to answer and not to learn.
Status load_weights(torch::nn::Module& module, const core::ModelFile& file) {
  core::TensorMap f32;
  for (const auto& [name, view] : file.tensors()) {
    MIEN_ASSIGN(f32[name], core::convert_float(view, core::DType::kF32));
  }
  MIEN_TRY(learn::load_state(module, core::views_of(f32), true));
  module.eval();
  return {};
}

}  // namespace

std::optional<TokenChoice> token_choice(const std::string& name) {
  if (name == "mask") return TokenChoice::kLargestMask;
  if (name == "random") return TokenChoice::kRandom;
  if (name == "random-slots") return TokenChoice::kRandomSlots;
  return std::nullopt;
}

Result<std::unique_ptr<ClipAnswers>> engine_answers(const std::string& path,
                                                    const ClipAnswerOptions& options) {
  MIEN_ASSIGN(Recognizer model, Recognizer::load(path, {options.precision, options.threads}));
  if (options.budget > 0.0 && !model.has_mask()) {
    return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget", path);
  }
  MIEN_ASSIGN(Recognizer::Session session, model.session());
  return std::unique_ptr<ClipAnswers>(
      std::make_unique<EngineAnswers>(std::move(model), std::move(session), options.budget));
}

Result<std::unique_ptr<ClipAnswers>> reference_answers(const std::string& path,
                                                       const ClipAnswerOptions& options) {
  learn::use_threads(options.threads);
  MIEN_ASSIGN(const core::ModelFile file, core::open_model(path));
  core::ModelConfig config = file.config;
  for (int i = static_cast<int>(config.classes.size()); i < config.num_classes(); ++i) {
    config.classes.push_back("class " + std::to_string(i));
  }
  if (config.arch == core::Arch::kAdaTosk) {
    learn::AdaTosk net(config.adatosk);
    MIEN_TRY(load_weights(*net, file));
    return std::unique_ptr<ClipAnswers>(
        std::make_unique<AdaToskReference>(std::move(config), std::move(net), options));
  }
  if (options.budget > 0.0 || options.choice != TokenChoice::kLargestMask) {
    return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget", path);
  }
  MIEN_ASSIGN(auto net, learn::make_clip_net(config, {}));
  if (config.arch == core::Arch::kS2D && !config.s2d.with_landmark) {
    return make_error(ErrorCode::kUnsupported, "lacks the landmark network that its prompts need",
                      path);
  }
  MIEN_TRY(load_weights(net->module(), file));
  return std::unique_ptr<ClipAnswers>(
      std::make_unique<PlainReference>(std::move(config), std::move(net)));
}

}  // namespace mien::cli
