// Loading a Recognizer with what only the engine's own callers may ask for.
#pragma once

#include "core/model_file.h"
#include "engine/options.h"
#include "mien/recognizer.hpp"

namespace mien::engine {

class RecognizerLoader {
 public:
  // As Recognizer::load, of a file that is open already (it may be closed afterwards: the weights
  // are copied) and with all options. A calibration tries layers by EngineOptions::keep.
  static Result<Recognizer> load(const core::ModelFile& model, const EngineOptions& options);
};

}  // namespace mien::engine
