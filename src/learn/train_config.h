// One training run, as a TOML file in configs/ says it. Unknown keys are errors: a misspelt option
// must not pass silently.
#pragma once

#include <string>
#include <vector>

#include "core/model_config.h"
#include "learn/data/augment.h"
#include "learn/data/still_set.h"

namespace mien::learn {

struct TrainConfig {
  // [run]
  std::string name = "run";  // folder runs/<name> holds checkpoints and history.csv
  std::uint64_t seed = 1;
  int threads = 0;  // 0: all cores
  double checkpoint_minutes = 3.0;
  std::string precision = "auto";  // f32, bf16 (autocast), auto: bf16 where the CPU has it
  std::string device = "auto";     // cpu, cuda, auto

  // [model]
  core::ModelConfig model;       // preset, then overrides
  std::string init;              // model file or .pth to start from; missing tensors stay fresh
  std::string init_trunk;        // landmark model whose trunk becomes landmark.*
  bool freeze_landmark = false;  // the official way
  double drop_path = 0.0;
  double layer_drop = 0.0;

  // [[data.train]], [[data.valid]]
  std::vector<StillSource> train;
  std::vector<StillSource> valid;
  double balance = 0.0;

  // [train]
  std::string task = "expression";  // expression (S2D) or landmark (MobileFaceNet)
  double epochs = 10;
  std::int64_t epoch_pictures = 0;  // pictures per epoch; 0: all usable ones once
  int batch = 64;
  int size = 0;      // input side; 0: the model's own
  double lr = 1e-3;  // at this batch size
  double min_lr = 1e-6;
  double warmup_epochs = 1;
  double weight_decay = 0.05;
  double layer_decay = 1.0;
  double trunk_lr_scale = 1.0;  // of landmark.*
  double clip_grad = 1.0;       // norm; 0: off
  double ema = 0.999;
  double smoothing = 0.0;
  double aux_weight = 0.0;  // of the second classifier, on the stem; 0: none
  bool stem_only = false;   // trains the stem alone by it, without trunk and transformer
  double mixup = 0.0;       // alpha of mixup on pictures and targets; 0: off

  // [loss]
  double points_weight = 1.0;      // of the wing loss (task landmark)
  double expression_weight = 1.0;  // of the soft cross-entropy

  AugmentOptions augment;  // [augment]

  // [output]
  std::string output;  // exported model file; empty: runs/<name>/model.safetensors
  bool half = true;    // fp16 storage

  std::string source_text;  // the TOML with --set applied, kept in the provenance
};

// Reads a config file; `sets` are "key=value" with dotted keys, values in TOML syntax (a bare word
// is text). Errors name the file, the key and, for syntax, the line.
Result<TrainConfig> read_train_config(const std::string& path,
                                      const std::vector<std::string>& sets);

}  // namespace mien::learn
