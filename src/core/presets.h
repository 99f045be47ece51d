// The named models of DESIGN.md.
#pragma once

#include <string>
#include <vector>

#include "core/model_config.h"

namespace mien::core {

// "s2d-base", "s2d-small", "s2d-tiny", "landmark". The S2D presets are video models (16 frames,
// TMA) that carry no landmark trunk; callers set `temporal`, `with_landmark`, classes as they need.
Result<ModelConfig> find_preset(const std::string& name);
std::vector<std::string> preset_names();

}  // namespace mien::core
