// The named models of DESIGN.md.
#pragma once

#include <string>
#include <vector>

#include "core/model_config.h"

namespace mien::core {

// "s2d-base", "s2d-small", "s2d-tiny", "landmark", "videomae-base", "videomae-small",
// "videomae-tiny", "adatosk-base", "adatosk-small", "adatosk-tiny". The S2D presets are video
// models (16 frames, TMA) that carry no landmark trunk; callers set `temporal`, `with_landmark`,
// classes as they need. The VideoMAE presets take 16 frames of 160x160 (tiny: 112x112), the AdaTosk
// presets 16 of 160x160 or (small, tiny) 112x112 in grey.
Result<ModelConfig> find_preset(const std::string& name);
std::vector<std::string> preset_names();

}  // namespace mien::core
