#include "learn/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/model_file.h"
#include "learn/autocast.h"
#include "learn/checkpoint.h"
#include "learn/data/rng.h"
#include "learn/gradients.h"
#include "learn/history.h"
#include "learn/job.h"
#include "learn/optim/schedule.h"
#include "learn/state.h"
#include "learn/step_clock.h"
#include "learn/threads.h"

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
  torch::nn::Module& module() { return job_->module(); }
  TrainState state() {
    return {module(),           *optimizer_, groups_, *ema_, progress_, config_.source_text,
            job_->extra_state()};
  }
  TrainPlace place() const {
    return {.step = progress_.step,
            .micro_batch = progress_.step * config_.accumulate,
            .epoch = progress_.step / steps_per_epoch_};
  }
  bool cancelled() const { return callbacks_.cancel != nullptr && callbacks_.cancel->load(); }
  void say(const std::string& text) const {
    if (callbacks_.on_message) callbacks_.on_message(text);
  }

  void make_optimizer();
  int lanes() const;
  Result<double> run_tasks();
  Result<double> run_tasks_apart(int at_a_time);
  Result<double> step_once();
  Status end_of_epoch();
  Result<Figures> evaluate();
  Status export_model(const std::string& path, const Figures& figures);
  void report_step() const;

  const TrainConfig& config_;
  std::string folder_;
  const TrainCallbacks& callbacks_;
  torch::Device device_;
  bool bf16_ = false;
  std::unique_ptr<TrainingJob> job_;
  std::vector<ParamGroup> groups_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<Ema> ema_;
  CosineSchedule schedule_;
  TrainProgress progress_;
  std::int64_t steps_per_epoch_ = 1;
  StepClock clock_;  // of this process's steps
};

Status Run::prepare(bool resume) {
  use_threads(config_.threads);
  torch::manual_seed(config_.seed);
  bf16_ = config_.precision == "bf16" || (config_.precision == "auto" && has_fast_bf16(device_));
  MIEN_ASSIGN(job_, make_job(config_));
  MIEN_TRY(job_->prepare(device_, [this](const std::string& text) { say(text); }));
  make_optimizer();
  ema_ = std::make_unique<Ema>(module(), config_.ema);
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
  const std::int64_t pictures =
      config_.epoch_pictures > 0 ? config_.epoch_pictures : job_->samples();
  steps_per_epoch_ = std::max<std::int64_t>(
      1, pictures / (static_cast<std::int64_t>(config_.batch) * config_.accumulate));
  schedule_ = {
      .base = config_.lr,
      .final = config_.min_lr,
      .total_steps = std::llround(config_.epochs * static_cast<double>(steps_per_epoch_)),
      .warmup_steps = std::llround(config_.warmup_epochs * static_cast<double>(steps_per_epoch_))};
  DecayRule rule{.weight_decay = config_.weight_decay,
                 .layer_decay = config_.layer_decay,
                 .depth = config_.model.depth(),
                 .no_weight_decay = {"cls_token", "dist_token", "pos_embed", "temporal_embedding",
                                     "mask_token"}};
  groups_ = make_groups(module(), rule, [this](const std::string& name) {
    if (name.starts_with("mask.")) return config_.adatosk.mask_lr_scale;
    return name.starts_with("landmark.") ? config_.trunk_lr_scale : 1.0;
  });
  optimizer_ = std::make_unique<AdamW>(make_adamw(module(), groups_));
}

// How many micro-batches are computed at a time.
int Run::lanes() const {
  if (!device_.is_cpu() || !job_->tasks_run_apart()) return 1;
  return std::min(config_.accumulate, torch::get_num_threads());
}

// The gradients of this step's micro-batches; returns the mean of their losses.
Result<double> Run::run_tasks() {
  TrainPlace at = place();
  const int at_a_time = lanes();
  if (at_a_time > 1) return run_tasks_apart(at_a_time);
  double sum = 0.0;
  for (int i = 0; i < config_.accumulate; ++i, ++at.micro_batch) {
    MIEN_ASSIGN(const LossTask task, job_->next_task(at));
    sum += add_gradient(task, device_, bf16_, 1.0 / config_.accumulate);
  }
  return sum / config_.accumulate;
}

Result<double> Run::run_tasks_apart(int at_a_time) {
  TrainPlace at = place();
  const std::uint64_t seed = Rng::mix(config_.seed, 0xD0, static_cast<std::uint64_t>(at.step));
  GradientsApart gradients(module(), config_.accumulate, at_a_time, {.bf16 = bf16_, .seed = seed});
  std::vector<LossTask> tasks;  // no more than run at a time: each holds its clips
  for (int i = 1; i <= config_.accumulate; ++i, ++at.micro_batch) {
    MIEN_ASSIGN(LossTask task, job_->next_task(at));
    tasks.push_back(std::move(task));
    if (i < config_.accumulate && std::ssize(tasks) < at_a_time) continue;
    gradients.add(tasks);
    tasks.clear();
  }
  return gradients.finish();
}

// One optimizer step; returns its loss, the mean over its micro-batches.
Result<double> Run::step_once() {
  // Dropout and drop path draw from here: a pure function of the step, so resuming needs no RNG
  // state.
  torch::manual_seed(Rng::mix(config_.seed, 0xD0, static_cast<std::uint64_t>(progress_.step)) >> 1);
  set_learning_rate(*optimizer_, groups_, schedule_.at(progress_.step));
  optimizer_->zero_grad();
  MIEN_ASSIGN(const double loss, run_tasks());
  if (config_.clip_grad > 0.0) {
    torch::nn::utils::clip_grad_norm_(module().parameters(), config_.clip_grad);
  }
  optimizer_->step();
  ema_->update(module(), progress_.step);
  {
    const AutocastScope autocast(device_, bf16_);
    MIEN_TRY(job_->after_step(place()));
  }
  ++progress_.step;
  return loss;
}

Result<Figures> Run::evaluate() {
  const torch::NoGradGuard no_grad;
  ema_->swap(module());
  module().eval();
  auto figures = job_->evaluate();
  module().train();
  ema_->swap(module());
  return figures;
}

Status Run::end_of_epoch() {
  MIEN_ASSIGN(const Figures figures, evaluate());
  HistoryRow row{.epoch = (progress_.step + steps_per_epoch_ - 1) / steps_per_epoch_,
                 .step = progress_.step,
                 .lr = schedule_.at(progress_.step - 1),
                 .loss = progress_.loss_sum /
                         static_cast<double>(std::max<std::int64_t>(progress_.loss_count, 1)),
                 .seconds = progress_.seconds,
                 .samples_per_s = clock_.epoch_rate(),
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
  clock_.begin_epoch();
  MIEN_TRY(append_history(folder_ + "/history.csv", row));
  return save_checkpoint(checkpoint_path(), state());
}

Status Run::export_model(const std::string& path, const Figures& figures) {
  core::ModelConfig model = job_->model_config();
  nlohmann::json provenance = {
      {"config", config_.source_text},
      {"steps", progress_.step},
      {"training_seconds", std::llround(progress_.seconds)},
      {config_.counts_clips() ? "training_clips" : "training_pictures", job_->samples()},
      {"data", job_->data_names()}};
  for (const auto& [name, value] : figures) provenance["valid"][name] = value;
  model.provenance_json = provenance.dump();
  ema_->swap(module());
  core::TensorMap tensors;
  const std::string prefix = job_->export_prefix();
  for (const auto& [name, tensor] : named_state(module())) {
    if (name.starts_with(prefix)) tensors[name.substr(prefix.size())] = to_core(tensor);
  }
  ema_->swap(module());
  return core::write_model(path, model, core::views_of(tensors),
                           config_.half ? core::DType::kF16 : core::DType::kF32);
}

void Run::report_step() const {
  if (!callbacks_.on_step) return;
  const double rate = clock_.recent_rate();
  const auto left = static_cast<double>(schedule_.total_steps - progress_.step);
  callbacks_.on_step(
      {.step = progress_.step,
       .total_steps = schedule_.total_steps,
       .epoch = static_cast<double>(progress_.step) / static_cast<double>(steps_per_epoch_),
       .loss = progress_.loss_sum /
               static_cast<double>(std::max<std::int64_t>(progress_.loss_count, 1)),
       .lr = schedule_.at(progress_.step - 1),
       .samples_per_s = rate,
       .seconds_left = rate > 0.0 ? left * config_.batch * config_.accumulate / rate : 0.0,
       .load_share = job_->waited_seconds() / std::max(clock_.seconds(), 1e-9)});
}

Result<TrainOutcome> Run::go() {
  module().train();
  job_->start(place());
  auto saved = Clock::now();
  while (progress_.step < schedule_.total_steps) {
    const auto began = Clock::now();
    MIEN_ASSIGN(const double loss, step_once());
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
    clock_.add(took, std::int64_t{config_.batch} * config_.accumulate);
    report_step();
    const bool last = progress_.step == schedule_.total_steps;
    if (last || progress_.step % steps_per_epoch_ == 0) {
      MIEN_TRY(end_of_epoch());
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
