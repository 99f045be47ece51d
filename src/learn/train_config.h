// One training run, as a TOML file in configs/ says it. Unknown keys are errors: a misspelt option
// must not pass silently.
#pragma once

#include <string>
#include <vector>

#include "core/model_config.h"
#include "learn/adatosk_training.h"
#include "learn/data/augment.h"
#include "learn/data/clip_augment_options.h"
#include "learn/data/clip_lists.h"
#include "learn/data/mix_options.h"
#include "learn/data/still_set.h"

namespace mien::learn {

// Clips to train on or to validate with: a data set in its official layout, moments composed of
// stills as long as the training lasts, or the stills themselves as clips that hardly move.
struct ClipData {
  ClipSource source;          // format "moments": path is the pictures (folder or .tar)
  std::string labels;         // moments: their labels, a CSV
  std::string landmarks;      // moments: 68 points; empty: beside the labels, where there are
  std::string exclude;        // moments: pictures to leave out, a CSV
  std::int64_t clips = 0;     // moments, stills: per epoch; stills: 0 is each once, as it is
  std::uint64_t seed = 0;     // moments, stills: another seed, other clips
  int span = 0;               // moments: as media::MomentOptions::span; 0: the clip's frames
  std::string tenth = "all";  // stills: as StillSource has them
  std::vector<std::string> drop_classes;  // stills

  bool moments() const { return source.format == "moments"; }
  bool stills() const;
  bool composed() const { return moments() || stills(); }  // made here, clip_len frames each
};

// What only the task "video" has.
struct VideoConfig {
  // [[data.train]], [[data.valid]]
  std::vector<ClipData> train;
  std::vector<ClipData> valid;
  int fold = 0;  // of all of them; 0: as each says

  // [video]
  int rate = 1;                  // every rate-th frame
  int side = 0;                  // of the cached frames; 0: the model's input
  std::string storage = "jpeg";  // of the cached frames: jpeg or raw
  std::string cache = "cache";   // folder of the cache files
  std::string faces = "auto";  // whole frames, or cut to the face: whole, detect, auto (by format)
  std::string detector = "haar";  // what finds the faces: haar or an .onnx file
  int workers = 2;
  bool strict = false;                 // an unusable clip stops the run
  std::vector<std::string> trainable;  // parameters train whose name has one of these; empty: all
  bool recompute = false;              // gradient checkpointing

  // [loss]
  bool sdl = false;  // S2D's self-distillation by emotion anchors
  int sdl_update_freq = 40;
  // How many epochs of this run SDL's schedule, made for a hundred, is laid over, its update
  // frequency with it; 0: taken at its word.
  double sdl_epochs = 0.0;

  MixOptions mix{.mixup_alpha = 0.0, .cutmix_alpha = 0.0};  // [mixup]
  ClipAugmentOptions clips;                                 // [augment]
};

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
  std::string init_trunk;        // landmark or S2D model whose trunk becomes landmark.*
  bool freeze_landmark = false;  // the official way
  double drop_path = 0.0;
  double layer_drop = 0.0;

  // [[data.train]], [[data.valid]]
  std::vector<StillSource> train;
  std::vector<StillSource> valid;
  double balance = 0.0;

  // [train]
  // expression (S2D on stills), landmark (MobileFaceNet) or video (S2D, VideoMAE or AdaTosk on
  // clips)
  std::string task = "expression";
  double epochs = 10;
  std::int64_t epoch_pictures = 0;  // pictures per epoch; 0: all usable ones once
  int batch = 64;
  // Batches whose gradients make one step. On a CPU they are computed at a time where the model
  // allows it (TrainingJob::tasks_run_apart), which is faster than a batch as large as all of them.
  int accumulate = 1;
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

  AugmentOptions augment;  // [augment], of stills

  VideoConfig video;
  AdaToskTraining adatosk;  // [adatosk], whose other keys are sizes of the model
  bool counts_clips() const { return task == "video"; }

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
