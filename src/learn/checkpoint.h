// Trainer state on disk: everything that decides the next step, so that a resumed run is
// bit-identical to one that was never interrupted (same build, same number of threads).
//
// Rules: load() changes nothing unless the file is whole and fits; the file is replaced atomically;
// it carries a version and the config text, and refuses to resume another run.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

#include "learn/optim/ema.h"
#include "learn/optim/param_groups.h"
#include "mien/result.hpp"

namespace mien::learn {

struct TrainProgress {
  std::int64_t step = 0;       // optimizer steps done
  double best_score = -1e300;  // of the best evaluation so far
  double seconds = 0.0;        // time spent training
  double loss_sum = 0.0;       // of the epoch under way
  std::int64_t loss_count = 0;
};

struct TrainState {
  torch::nn::Module& module;
  torch::optim::AdamW& optimizer;
  const std::vector<ParamGroup>& groups;
  Ema& ema;
  TrainProgress& progress;
  std::string config_text;
  std::map<std::string, torch::Tensor> extra;  // saved and restored in place (TrainingJob)
};

Status save_checkpoint(const std::string& path, const TrainState& state);
Status load_checkpoint(const std::string& path, TrainState& state);

}  // namespace mien::learn
