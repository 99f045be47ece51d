#include "learn/trainer.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/model_file.h"
#include "learn/autocast.h"
#include "learn/checkpoint.h"
#include "learn/history.h"
#include "learn/optim/schedule.h"
#include "learn/state.h"

namespace mien::learn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

torch::Device choose_device(const TrainConfig& config) {
  const bool cuda =
      config.device == "cuda" || (config.device == "auto" && torch::cuda::is_available());
  return cuda ? torch::kCUDA : torch::kCPU;
}

Result<StillSet> read_sources(const std::vector<StillSource>& sources, const TrainConfig& config,
                              const TrainCallbacks& callbacks) {
  StillSet all;
  all.classes = config.model.classes;
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
    if (callbacks.on_message) callbacks.on_message(line);
  }
  return all;
}

Batch to_device(Batch batch, torch::Device device) {
  for (torch::Tensor* t :
       {&batch.images, &batch.target, &batch.target_weight, &batch.points, &batch.point_weight}) {
    *t = t->to(device);
  }
  return batch;
}

// One training run: everything between its first and its last step.
class Run {
 public:
  Run(const TrainConfig& config, std::string folder, const TrainCallbacks& callbacks)
      : config_(config),
        folder_(std::move(folder)),
        callbacks_(callbacks),
        device_(choose_device(config)) {}

  Status prepare(bool resume);
  Result<TrainOutcome> go();

 private:
  std::string checkpoint_path() const { return folder_ + "/checkpoint.safetensors"; }
  std::string best_path() const { return folder_ + "/best.safetensors"; }
  TrainState state() {
    return {task_->module(), *optimizer_, groups_, *ema_, progress_, config_.source_text};
  }
  bool cancelled() const { return callbacks_.cancel != nullptr && callbacks_.cancel->load(); }
  void say(const std::string& text) const {
    if (callbacks_.on_message) callbacks_.on_message(text);
  }

  void make_optimizer();
  double step_once();
  Status end_of_epoch(double rate);
  Result<Figures> evaluate();
  Status export_model(const std::string& path, const Figures& figures);
  void report_step(double rate) const;

  const TrainConfig& config_;
  std::string folder_;
  const TrainCallbacks& callbacks_;
  torch::Device device_;
  bool bf16_ = false;
  StillSet train_, valid_;
  LoaderOptions loader_options_;
  std::unique_ptr<StillTask> task_;
  std::unique_ptr<StillLoader> loader_;
  std::vector<ParamGroup> groups_;
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::unique_ptr<Ema> ema_;
  CosineSchedule schedule_;
  TrainProgress progress_;
  std::int64_t steps_per_epoch_ = 1;
  double load_seconds_ = 0.0;
  double run_seconds_ = 0.0;
};

Status Run::prepare(bool resume) {
  if (config_.threads > 0) torch::set_num_threads(config_.threads);
  torch::manual_seed(config_.seed);
  bf16_ = config_.precision == "bf16" || (config_.precision == "auto" && has_fast_bf16(device_));
  MIEN_ASSIGN(train_, read_sources(config_.train, config_, callbacks_));
  if (!config_.valid.empty()) {
    MIEN_ASSIGN(valid_, read_sources(config_.valid, config_, callbacks_));
  }
  loader_options_.face_template = mean_face_template(train_);
  task_ = config_.task == "landmark" ? make_landmark_task(config_)
                                     : make_expression_task(config_, loader_options_.face_template);
  loader_options_.batch = config_.batch;
  loader_options_.size = config_.size > 0 ? config_.size : config_.model.input_size();
  loader_options_.framing = task_->framing();
  loader_options_.augment = config_.augment;
  loader_options_.input = config_.model.input;
  loader_options_.balance = config_.balance;
  loader_options_.seed = config_.seed;
  loader_ = std::make_unique<StillLoader>(train_, loader_options_);
  if (loader_->usable() == 0) {
    return make_error(ErrorCode::kNotFound, "no training picture has what the task learns from");
  }
  task_->fit_to(*loader_);
  MIEN_ASSIGN(const std::string loaded, initialise(*task_, config_));
  if (!loaded.empty()) say("starting from " + loaded);
  task_->module().to(device_);
  use_channels_last(task_->module());
  make_optimizer();
  ema_ = std::make_unique<Ema>(task_->module(), config_.ema);
  if (std::filesystem::exists(checkpoint_path())) {
    if (!resume) {
      return make_error(ErrorCode::kInvalidArgument,
                        "a run of this name was begun; give --resume to go on, or another run.name",
                        folder_);
    }
    TrainState restored = state();
    MIEN_TRY(load_checkpoint(checkpoint_path(), restored));
    say("resuming at step " + std::to_string(progress_.step));
  }
  return core::write_file_atomically(folder_ + "/config.toml", config_.source_text);
}

void Run::make_optimizer() {
  const std::int64_t pictures = config_.epoch_pictures > 0
                                    ? config_.epoch_pictures
                                    : static_cast<std::int64_t>(loader_->usable());
  steps_per_epoch_ = std::max<std::int64_t>(1, pictures / config_.batch);
  schedule_ = {
      .base = config_.lr,
      .final = config_.min_lr,
      .total_steps = std::llround(config_.epochs * static_cast<double>(steps_per_epoch_)),
      .warmup_steps = std::llround(config_.warmup_epochs * static_cast<double>(steps_per_epoch_))};
  DecayRule rule{.weight_decay = config_.weight_decay,
                 .layer_decay = config_.layer_decay,
                 .depth = config_.model.s2d.depth,
                 .no_weight_decay = {"cls_token", "dist_token", "pos_embed", "temporal_embedding"}};
  groups_ = make_groups(task_->module(), rule, [this](const std::string& name) {
    return name.starts_with("landmark.") ? config_.trunk_lr_scale : 1.0;
  });
  optimizer_ = std::make_unique<torch::optim::AdamW>(make_adamw(task_->module(), groups_));
}

// One optimizer step; returns its loss.
double Run::step_once() {
  const auto waiting = Clock::now();
  const Batch batch = to_device(loader_->next(), device_);
  load_seconds_ += seconds_since(waiting);
  // Dropout and drop path draw from here: a pure function of the step, so resuming needs no RNG
  // state.
  torch::manual_seed(Rng::mix(config_.seed, 0xD0, static_cast<std::uint64_t>(progress_.step)) >> 1);
  set_learning_rate(*optimizer_, groups_, schedule_.at(progress_.step));
  optimizer_->zero_grad();
  torch::Tensor loss;
  {
    const AutocastScope autocast(device_, bf16_);
    loss = task_->loss(batch);
  }
  loss.backward();
  if (config_.clip_grad > 0.0) {
    torch::nn::utils::clip_grad_norm_(task_->module().parameters(), config_.clip_grad);
  }
  optimizer_->step();
  ema_->update(task_->module(), progress_.step);
  ++progress_.step;
  return loss.item<double>();
}

Result<Figures> Run::evaluate() {
  if (valid_.stills.empty()) return Figures{};
  const torch::NoGradGuard no_grad;
  ema_->swap(task_->module());
  task_->module().eval();
  const Figures figures = task_->evaluate(valid_, loader_options_, device_);
  task_->module().train();
  ema_->swap(task_->module());
  return figures;
}

Status Run::end_of_epoch(double rate) {
  MIEN_ASSIGN(const Figures figures, evaluate());
  HistoryRow row{.epoch = (progress_.step + steps_per_epoch_ - 1) / steps_per_epoch_,
                 .step = progress_.step,
                 .lr = schedule_.at(progress_.step - 1),
                 .loss = progress_.loss_sum /
                         static_cast<double>(std::max<std::int64_t>(progress_.loss_count, 1)),
                 .seconds = progress_.seconds,
                 .pictures_per_s = rate,
                 .figures = figures};
  std::string line = "epoch " + std::to_string(row.epoch) + ": loss " + std::to_string(row.loss);
  for (const auto& [name, value] : figures) line += ", " + name + " " + std::to_string(value);
  say(line);
  if (figures.empty() || figures.front().second > progress_.best_score) {
    if (!figures.empty()) progress_.best_score = figures.front().second;
    MIEN_TRY(export_model(best_path(), figures));
  }
  progress_.loss_sum = 0.0;
  progress_.loss_count = 0;
  MIEN_TRY(append_history(folder_ + "/history.csv", row));
  return save_checkpoint(checkpoint_path(), state());
}

Status Run::export_model(const std::string& path, const Figures& figures) {
  core::ModelConfig model = task_->model_config();
  nlohmann::json provenance = {{"config", config_.source_text},
                               {"steps", progress_.step},
                               {"training_seconds", std::llround(progress_.seconds)},
                               {"training_pictures", loader_->usable()}};
  for (const auto& [name, value] : figures) provenance["valid"][name] = value;
  for (const StillSource& source : config_.train) {
    provenance["data"].push_back(std::filesystem::path(source.path).filename().string() + "/" +
                                 source.split);
  }
  model.provenance_json = provenance.dump();
  ema_->swap(task_->module());
  core::TensorMap tensors;
  const std::string prefix = config_.task == "landmark" ? "net." : "";
  for (const auto& [name, tensor] : named_state(task_->module())) {
    if (name.starts_with(prefix)) tensors[name.substr(prefix.size())] = to_core(tensor);
  }
  ema_->swap(task_->module());
  return core::write_model(path, model, core::views_of(tensors),
                           config_.half ? core::DType::kF16 : core::DType::kF32);
}

void Run::report_step(double rate) const {
  if (!callbacks_.on_step) return;
  const auto left = static_cast<double>(schedule_.total_steps - progress_.step);
  callbacks_.on_step(
      {.step = progress_.step,
       .total_steps = schedule_.total_steps,
       .epoch = static_cast<double>(progress_.step) / static_cast<double>(steps_per_epoch_),
       .loss = progress_.loss_sum /
               static_cast<double>(std::max<std::int64_t>(progress_.loss_count, 1)),
       .lr = schedule_.at(progress_.step - 1),
       .pictures_per_s = rate,
       .seconds_left = rate > 0.0 ? left * config_.batch / rate : 0.0,
       .load_share = run_seconds_ > 0.0 ? load_seconds_ / run_seconds_ : 0.0});
}

Result<TrainOutcome> Run::go() {
  task_->module().train();
  loader_->start(progress_.step);
  auto saved = Clock::now();
  double recent = 0.0;  // smoothed seconds per step
  while (progress_.step < schedule_.total_steps) {
    const auto began = Clock::now();
    const double loss = step_once();
    if (!std::isfinite(loss)) {
      return make_error(
          ErrorCode::kInternal,
          "the loss is not finite at step " + std::to_string(progress_.step) + "; lower train.lr",
          config_.name);
    }
    progress_.loss_sum += loss;
    ++progress_.loss_count;
    const double took = seconds_since(began);
    progress_.seconds += took;
    run_seconds_ += took;
    recent = recent == 0.0 ? took : 0.95 * recent + 0.05 * took;
    const double rate = config_.batch / recent;
    report_step(rate);
    const bool last = progress_.step == schedule_.total_steps;
    if (last || progress_.step % steps_per_epoch_ == 0) {
      MIEN_TRY(end_of_epoch(rate));
      saved = Clock::now();
    } else if (cancelled() || seconds_since(saved) > 60.0 * config_.checkpoint_minutes) {
      MIEN_TRY(save_checkpoint(checkpoint_path(), state()));
      saved = Clock::now();
    }
    if (cancelled() && !last) return TrainOutcome{};
  }
  TrainOutcome outcome;
  outcome.finished = true;
  outcome.model_path = config_.output.empty() ? folder_ + "/model.safetensors" : config_.output;
  outcome.figures = {{"best_score", progress_.best_score}};
  MIEN_ASSIGN(const auto bytes, core::read_file(best_path(), std::uint64_t{4} << 30));
  MIEN_TRY(core::write_file_atomically(outcome.model_path, bytes));
  return outcome;
}

}  // namespace

Result<TrainOutcome> train(const TrainConfig& config, const std::string& run_folder, bool resume,
                           const TrainCallbacks& callbacks) {
  try {
    std::filesystem::create_directories(run_folder);
    Run run(config, run_folder, callbacks);
    MIEN_TRY(run.prepare(resume));
    return run.go();
  } catch (const c10::Error& e) {
    return make_error(ErrorCode::kInternal, e.what_without_backtrace(), "LibTorch");
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what(), run_folder);
  }
}

}  // namespace mien::learn
