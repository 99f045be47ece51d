// Training on stills: the landmark net, and the image stage of S2D.
#pragma once

#include <memory>

#include "learn/job.h"

namespace mien::learn {

// For config.task "expression" and "landmark". `config` must outlive the job.
std::unique_ptr<TrainingJob> make_still_job(const TrainConfig& config);

}  // namespace mien::learn
