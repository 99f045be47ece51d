#include "learn/still_job.h"

#include <chrono>
#include <filesystem>

#include "learn/data/face_geometry.h"
#include "learn/state.h"
#include "learn/tasks.h"
#include "learn/train_config.h"

namespace mien::learn {
namespace {

Batch to_device(Batch batch, torch::Device device) {
  for (torch::Tensor* t :
       {&batch.images, &batch.target, &batch.target_weight, &batch.points, &batch.point_weight}) {
    *t = t->to(device);
  }
  return batch;
}

class StillJob : public TrainingJob {
 public:
  explicit StillJob(const TrainConfig& config) : config_(config) {}

  Status prepare(torch::Device device, const Say& say) override;
  torch::nn::Module& module() override { return task_->module(); }
  std::int64_t samples() const override { return static_cast<std::int64_t>(loader_->usable()); }
  void start(const TrainPlace& place) override { loader_->start(place.micro_batch); }
  Result<LossTask> next_task(const TrainPlace& place) override;
  double waited_seconds() const override { return waited_; }
  Result<Figures> evaluate() override {
    if (valid_.stills.empty()) return Figures{};
    return task_->evaluate(valid_, options_, device_);
  }
  core::ModelConfig model_config() const override { return task_->model_config(); }
  std::string export_prefix() const override { return config_.task == "landmark" ? "net." : ""; }
  std::vector<std::string> data_names() const override;

 private:
  Result<StillSet> read(const std::vector<StillSource>& sources, const Say& say) const;

  const TrainConfig& config_;
  torch::Device device_ = torch::kCPU;
  StillSet train_, valid_;
  LoaderOptions options_;
  std::unique_ptr<StillTask> task_;
  std::unique_ptr<StillLoader> loader_;
  double waited_ = 0.0;
};

Result<StillSet> StillJob::read(const std::vector<StillSource>& sources, const Say& say) const {
  StillSet all;
  all.classes = config_.model.classes;
  for (const StillSource& source : sources) {
    StillReport report;
    auto set = read_stills(source, all.classes, &report);
    if (!set) return set.error();
    append(all, *set);
    std::string line = std::to_string(set->stills.size()) + " pictures from " + source.path + " (" +
                       source.split + ")";
    if (report.skipped > 0) {
      line += ", " + std::to_string(report.skipped) + " left out, e.g. " + report.examples.front();
    }
    say(line);
  }
  return all;
}

Status StillJob::prepare(torch::Device device, const Say& say) {
  device_ = device;
  MIEN_ASSIGN(train_, read(config_.train, say));
  if (!config_.valid.empty()) {
    MIEN_ASSIGN(valid_, read(config_.valid, say));
  }
  options_.face_template = mean_face_template(train_);
  task_ = config_.task == "landmark" ? make_landmark_task(config_)
                                     : make_expression_task(config_, options_.face_template);
  options_.batch = config_.batch;
  options_.size = config_.size > 0 ? config_.size : config_.model.input_size();
  options_.framing = task_->framing();
  options_.augment = config_.augment;
  options_.input = config_.model.input;
  options_.balance = config_.balance;
  options_.seed = config_.seed;
  loader_ = std::make_unique<StillLoader>(train_, options_);
  if (loader_->usable() == 0) {
    return make_error(ErrorCode::kNotFound, "no training picture has what the task learns from");
  }
  task_->fit_to(*loader_);
  MIEN_ASSIGN(const std::string loaded, initialise(task_->module(), config_));
  if (!loaded.empty()) say("starting from " + loaded);
  task_->module().to(device);
  use_channels_last(task_->module());
  return {};
}

Result<LossTask> StillJob::next_task(const TrainPlace& place) {
  (void)place;
  const auto waiting = std::chrono::steady_clock::now();
  const Batch batch = to_device(loader_->next(), device_);
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - waiting).count();
  return LossTask([this, batch] { return task_->loss(batch); });
}

std::vector<std::string> StillJob::data_names() const {
  std::vector<std::string> names;
  for (const StillSource& source : config_.train) {
    names.push_back(std::filesystem::path(source.path).filename().string() + "/" + source.split);
  }
  return names;
}

}  // namespace

std::unique_ptr<TrainingJob> make_still_job(const TrainConfig& config) {
  return std::make_unique<StillJob>(config);
}

}  // namespace mien::learn
