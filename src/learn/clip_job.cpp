#include "learn/clip_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "core/model_file.h"
#include "core/s2d_spec.h"
#include "learn/clip_validation.h"
#include "learn/data/clip_data.h"
#include "learn/data/clip_loader.h"
#include "learn/data/mixup.h"
#include "learn/data/rng.h"
#include "learn/losses/sdl.h"
#include "learn/losses/still_losses.h"
#include "learn/models/clip_net.h"
#include "learn/state.h"
#include "learn/train_config.h"

namespace mien::learn {
namespace {

using torch::Tensor;

// The official recipe adds the distillation loss in epochs after this one only.
constexpr std::int64_t kSdlAfterEpoch = 20;
constexpr double kMeasureSeconds = 1.0;
// What a net draws for its own loss, apart from what the job draws.
constexpr std::uint64_t kOwnDraws = 0xADA;

class ClipJob : public TrainingJob {
 public:
  ClipJob(const TrainConfig& config, std::unique_ptr<ClipNet> net)
      : config_(config), video_(config.video), net_(std::move(net)) {}

  Status prepare(torch::Device device, const Say& say) override;
  torch::nn::Module& module() override { return net_->module(); }
  std::int64_t samples() const override { return samples_; }
  void start(const TrainPlace& place) override { loader_->start(place.micro_batch); }
  Result<LossTask> next_task(const TrainPlace& place) override;
  bool tasks_run_apart() const override { return net_->runs_apart() && !anchors_; }
  Status after_step(const TrainPlace& place) override;
  double waited_seconds() const override { return loader_->waited_seconds(); }
  Result<Figures> evaluate() override {
    if (!valid_) return Figures{};
    return validate_clips(*net_, *valid_, loader_->options(), device_);
  }
  std::map<std::string, Tensor> extra_state() override {
    if (!anchors_) return {};
    return {{"sdl.queue", anchors_->queue}, {"sdl.probe", anchors_->probe}};
  }
  core::ModelConfig model_config() const override;
  std::vector<std::string> data_names() const override;

 private:
  ClipDataOptions data_options() const;
  ClipLoaderOptions loader_options() const;
  void freeze(const Say& say);
  std::int64_t sdl_epoch(const TrainPlace& place) const;
  Tensor loss_of(const ClipNet::Lesson& lesson, std::int64_t sdl_epoch);
  bool keeps_image_model() const;
  bool any_composed() const;
  bool all_composed() const;

  const TrainConfig& config_;
  const VideoConfig& video_;
  std::vector<float> face_template_;
  bool keeps_image_model_ = false;
  torch::Device device_ = torch::kCPU;
  std::unique_ptr<ClipNet> net_;
  std::unique_ptr<ClipStore> train_, valid_;
  std::unique_ptr<ClipLoader> loader_;
  std::int64_t samples_ = 0;
  EmotionAnchors anchors_{nullptr};
  std::vector<ClipBatch> seen_;  // the unmixed batches of this step, while the anchors are fed
};

ClipDataOptions ClipJob::data_options() const {
  return {.classes = config_.model.classes,
          .side = video_.side > 0 ? video_.side : config_.model.input_size(),
          .clip_len = config_.model.input_frames(),
          .gray = config_.model.input.gray,
          .passes = static_cast<std::int64_t>(std::ceil(config_.epochs)),
          .face_template = face_template_};
}

ClipLoaderOptions ClipJob::loader_options() const {
  ClipLoaderOptions options;
  options.batch = config_.batch;
  options.clip_len = config_.model.input_frames();
  options.rate = video_.rate;
  options.timing = all_composed() ? ClipTiming::kTimeWindow : ClipTiming::kPaperRule;
  options.balance = config_.balance;
  options.seed = config_.seed;
  options.workers = video_.workers;
  options.augment = video_.clips;
  options.size = config_.model.input_size();
  options.input = config_.model.input;
  options.unlabelled = !net_->classifies();
  return options;
}

// The official freezing scheme names the parameters that train; everything else stays as it was
// loaded.
void ClipJob::freeze(const Say& say) {
  if (video_.trainable.empty() && !config_.freeze_landmark) return;
  std::int64_t training = 0;
  std::int64_t all = 0;
  for (auto& item : net_->module().named_parameters()) {
    const bool named =
        video_.trainable.empty() ||
        std::any_of(video_.trainable.begin(), video_.trainable.end(), [&](const std::string& part) {
          return item.key().find(part) != std::string::npos;
        });
    const bool kept = config_.freeze_landmark && item.key().starts_with(core::kLandmarkPrefix);
    const bool trains = named && !kept;
    item.value().set_requires_grad(trains);
    all += item.value().numel();
    if (trains) training += item.value().numel();
  }
  net_->settle_frozen();
  say("training " + std::to_string(training) + " of " + std::to_string(all) + " parameters");
}

bool ClipJob::any_composed() const {
  return std::any_of(video_.train.begin(), video_.train.end(),
                     [](const ClipData& data) { return data.composed(); });
}

bool ClipJob::all_composed() const {
  return std::all_of(video_.train.begin(), video_.train.end(),
                     [](const ClipData& data) { return data.composed(); });
}

// Whether S2D began as an image model (or as a video model that kept one) and trains what works
// over time alone.
bool ClipJob::keeps_image_model() const {
  if (config_.model.arch != core::Arch::kS2D || !config_.init.ends_with(".safetensors")) {
    return false;
  }
  const auto start = core::open_model(config_.init);
  if (!start || start->config.arch != core::Arch::kS2D) return false;
  if (start->config.classes != config_.model.classes) return false;
  const core::S2DConfig& s2d = start->config.s2d;
  if (s2d.temporal && !s2d.keeps_image_model) return false;
  const auto parameters = net_->module().named_parameters();
  return std::none_of(parameters.begin(), parameters.end(), [](const auto& item) {
    return item.value().requires_grad() && !core::works_over_time(item.key());
  });
}

// Like what it starts from, the model wants its faces aligned.
core::ModelConfig ClipJob::model_config() const {
  core::ModelConfig config = config_.model;
  config.face_template = face_template_;
  config.s2d.keeps_image_model = keeps_image_model_;
  return config;
}

Status ClipJob::prepare(torch::Device device, const Say& say) {
  device_ = device;
  face_template_ = config_.model.face_template;
  if (face_template_.empty()) face_template_ = inherited_face_template(config_);
  if (any_composed() && !all_composed() && video_.rate != 1) {
    return make_error(ErrorCode::kUnsupported,
                      "composed clips go together with recorded ones at 'video.rate' 1 only");
  }
  MIEN_ASSIGN(train_, open_clip_data(video_.train, video_, data_options(), say));
  if (!video_.valid.empty()) {
    ClipDataOptions once = data_options();
    once.passes = 1;
    MIEN_ASSIGN(valid_, open_clip_data(video_.valid, video_, once, say));
  }
  MIEN_ASSIGN(loader_, ClipLoader::create(*train_, loader_options()));
  samples_ = loader_->usable();
  if (any_composed()) samples_ /= data_options().passes;
  MIEN_ASSIGN(const LoadingRate rate, loader_->measure_loading(kMeasureSeconds));
  char line[64];
  std::snprintf(line, sizeof(line), "loading alone: %.1f clips/s", rate.clips_per_s());
  say(line);
  MIEN_ASSIGN(const std::string loaded, initialise(net_->module(), config_));
  if (!loaded.empty()) say("starting from " + loaded);
  freeze(say);
  keeps_image_model_ = keeps_image_model();
  net_->module().to(device);
  use_channels_last(net_->module());
  if (video_.sdl) {
    anchors_ = EmotionAnchors(
        SdlOptions{.classes = static_cast<std::int64_t>(config_.model.classes.size()),
                   .dim = net_->feature_dim(),
                   .seed = config_.seed});
    anchors_->to(device);
  }
  return {};
}

std::int64_t ClipJob::sdl_epoch(const TrainPlace& place) const {
  if (video_.sdl_epochs <= 0.0) return place.epoch;
  const auto seen = static_cast<double>(place.step * config_.batch * config_.accumulate);
  const auto whole = static_cast<double>(std::max<std::int64_t>(samples_, 1));
  return sdl_recipe_epoch(seen / whole, video_.sdl_epochs);
}

Result<LossTask> ClipJob::next_task(const TrainPlace& place) {
  MIEN_ASSIGN(ClipBatch batch, loader_->next());
  batch.clips = batch.clips.to(device_);
  batch.target = batch.target.to(device_);
  const auto classes = batch.target.size(1);
  const Tensor target = smooth_targets(batch.target, classes, config_.smoothing);
  const MixDraw draw = draw_mix(video_.mix, config_.seed, place.micro_batch, batch.clips.size(3),
                                batch.clips.size(4));
  const bool mixed = draw.share < 1.0;  // no clip keeps its course
  ClipNet::Lesson lesson{
      .clips = mix_clips(batch.clips, draw),
      .target = mix_targets(target, draw),
      .course = mixed ? Tensor() : batch.course.to(device_),
      .seed = Rng::mix(config_.seed, kOwnDraws, static_cast<std::uint64_t>(place.micro_batch))};
  const std::int64_t epoch = sdl_epoch(place);
  if (anchors_ && sdl_updates_at(epoch, video_.sdl_update_freq)) seen_.push_back(std::move(batch));
  return LossTask([this, lesson = std::move(lesson), epoch] { return loss_of(lesson, epoch); });
}

Tensor ClipJob::loss_of(const ClipNet::Lesson& lesson, std::int64_t sdl_epoch) {
  if (const Tensor own = net_->own_loss(lesson); own.defined()) return own;
  const ClipNet::Output out = net_->forward(lesson.clips);
  const Tensor weight = torch::ones({lesson.clips.size(0)}, lesson.target.options());
  const Tensor loss = soft_cross_entropy(out.logits, lesson.target, weight);
  if (!anchors_ || sdl_epoch <= kSdlAfterEpoch) return loss;
  return loss + sdl_weight(sdl_epoch) * anchors_->loss(out.feature, out.logits);
}

// The queues hear what the stepped model says of the clips as they were before mixing, dropout on,
// as the official loop does it.
Status ClipJob::after_step(const TrainPlace& place) {
  (void)place;
  const torch::NoGradGuard no_grad;
  for (const ClipBatch& batch : seen_) {
    // A still that its voters did not agree on has no label to be queued under.
    const Tensor rows = torch::nonzero(batch.label >= 0).flatten();
    if (rows.numel() == 0) continue;
    const ClipNet::Output out = net_->forward(batch.clips.index_select(0, rows.to(device_)));
    MIEN_TRY(anchors_->update(out.feature.to(torch::kFloat), out.logits,
                              batch.label.index_select(0, rows).to(device_)));
  }
  seen_.clear();
  return {};
}

std::vector<std::string> ClipJob::data_names() const {
  std::vector<std::string> names;
  for (const ClipData& data : video_.train) {
    const auto name = std::filesystem::path(data.source.path).filename().string();
    names.push_back(data.moments() ? "moments of " + name : name + "/" + data.source.split);
  }
  return names;
}

}  // namespace

Result<std::unique_ptr<TrainingJob>> make_clip_job(const TrainConfig& config) {
  MIEN_ASSIGN(auto net, make_clip_net(config.model, {.drop_path = config.drop_path,
                                                     .layer_drop = config.layer_drop,
                                                     .recompute = config.video.recompute,
                                                     .adatosk = config.adatosk}));
  return std::unique_ptr<TrainingJob>(std::make_unique<ClipJob>(config, std::move(net)));
}

}  // namespace mien::learn
