// Training on clips: S2D's video stage, VideoMAE's fine-tuning, and all stages of AdaTosk.
#pragma once

#include <memory>

#include "learn/job.h"

namespace mien::learn {

// For config.task "video". `config` must outlive the job. Error kUnsupported for an architecture
// that reads no clips.
Result<std::unique_ptr<TrainingJob>> make_clip_job(const TrainConfig& config);

}  // namespace mien::learn
