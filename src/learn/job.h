// What one training run learns, and from what: data, model and loss behind one face, so that the
// loop in trainer.cpp knows neither stills nor clips.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/model_config.h"
#include "learn/figures.h"
#include "learn/gradients.h"
#include "mien/result.hpp"

namespace mien::learn {

struct TrainConfig;

// Where a run is. Steps and micro-batches count from 0.
struct TrainPlace {
  std::int64_t step = 0;         // optimizer steps done
  std::int64_t micro_batch = 0;  // batches taken, step * accumulate and on
  std::int64_t epoch = 0;        // whole epochs done
};

// One thread. The module is on `device` after prepare().
class TrainingJob {
 public:
  virtual ~TrainingJob() = default;

  // Reads the data and makes the model; says what it found. Once, before all else.
  using Say = std::function<void(const std::string&)>;
  virtual Status prepare(torch::Device device, const Say& say) = 0;

  virtual torch::nn::Module& module() = 0;
  virtual std::int64_t samples() const = 0;  // of the training set: one epoch

  // Begins (again) at a micro-batch. Whatever follows depends on the seed and the place alone.
  virtual void start(const TrainPlace& place) = 0;
  // Takes the next micro-batch. The task computes its scalar loss by the module in training mode,
  // inside the autocast scope of whoever calls it; it must be called before the step ends.
  virtual Result<LossTask> next_task(const TrainPlace& place) = 0;
  // Whether tasks of one step may run on threads of their own (MicroBatchScope): what they change
  // beside gradients is put off, and what they draw is their own.
  virtual bool tasks_run_apart() const { return false; }
  // After the optimizer has stepped on the micro-batches of `place.step`; in the same scope.
  virtual Status after_step(const TrainPlace& place) {
    (void)place;
    return {};
  }
  // Seconds that next_task() waited for data, so far.
  virtual double waited_seconds() const = 0;

  // Figures on the validation data, the module in eval mode; the first is the score (higher is
  // better). Empty without validation data.
  virtual Result<Figures> evaluate() = 0;

  // What else decides the next steps, beside model and optimizer: saved in checkpoints and restored
  // in place.
  virtual std::map<std::string, torch::Tensor> extra_state() { return {}; }

  // The exported model file: its config (without provenance) and which of the module's tensors, by
  // the prefix that they lose.
  virtual core::ModelConfig model_config() const = 0;
  virtual std::string export_prefix() const { return ""; }
  // What the model was trained on, for its provenance: names without folders.
  virtual std::vector<std::string> data_names() const = 0;
};

// The job that config.task names. Errors: kUnsupported where this build lacks what it needs.
Result<std::unique_ptr<TrainingJob>> make_job(const TrainConfig& config);

// Starts a job's module from config.init and config.init_trunk (model files or official
// checkpoints); what does not fit by name and shape stays fresh. Returns one line on what was
// loaded, empty when nothing was asked for.
Result<std::string> initialise(torch::nn::Module& module, const TrainConfig& config);

// How the model file at config.init wants faces aligned (ModelConfig::face_template); empty when it
// is no model file or does not say.
std::vector<float> inherited_face_template(const TrainConfig& config);

}  // namespace mien::learn
