// The parts of a training config that only the task "video" has.
#pragma once

#include <toml++/toml.h>

#include "learn/train_config.h"

namespace mien::learn {

// Reads [[data.train]], [[data.valid]], [video] and [mixup] into config.video. Errors name the key.
Status read_video(const toml::table& root, TrainConfig& config);

}  // namespace mien::learn
