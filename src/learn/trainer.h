// Runs a training: batches in, a model file out, with a history and checkpoints on the way.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "learn/figures.h"
#include "learn/train_config.h"

namespace mien::learn {

// What a progress line shows.
struct TrainStatus {
  std::int64_t step = 0;
  std::int64_t total_steps = 0;
  double epoch = 0.0;
  double loss = 0.0;  // mean over the epoch so far
  double lr = 0.0;
  double samples_per_s = 0.0;  // pictures or clips, over the last steps
  double seconds_left = 0.0;
  double load_share = 0.0;  // share of the time spent waiting for data
};

struct TrainCallbacks {
  std::function<void(const TrainStatus&)> on_step;     // after every optimizer step
  std::function<void(const std::string&)> on_message;  // one line of news
  std::atomic<bool>* cancel = nullptr;                 // set to stop after a checkpoint
};

struct TrainOutcome {
  bool finished = false;  // false: cancelled, a checkpoint lies in runs/<name>
  Figures figures;        // of the exported model, on the first validation set
  std::string model_path;
};

// Trains as `config` says, in folder `run_folder` (history.csv, checkpoint.safetensors,
// config.toml). With `resume`, goes on from the checkpoint there when there is one; without, an
// existing checkpoint is an error, so that nothing is overwritten by accident. The exported model
// is the moving average of the last step when there is no validation set, else of the best
// evaluation.
Result<TrainOutcome> train(const TrainConfig& config, const std::string& run_folder, bool resume,
                           const TrainCallbacks& callbacks);

}  // namespace mien::learn
