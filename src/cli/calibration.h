// Which layers of a model may compute in int8: tried in the engine on samples of known class.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/quantization.h"
#include "engine/options.h"

namespace mien::cli {

// What int8 may cost.
struct CalibrationLimits {
  double accuracy_loss = 0.005;  // against f32, share of the samples
  double agreement = 0.99;       // with f32 about the class, at least
  double kept = 0.5;             // of the layers; with more out of int8 little is gained by it
};

// The model's answers to the first `samples` samples under these options: logits [samples,
// classes]. Only `precision` and `keep` of the options are set.
using CalibrationAnswers =
    std::function<Result<std::vector<float>>(const engine::EngineOptions&, std::size_t samples)>;

struct CalibrationTask {
  std::vector<std::string> layers;  // core::int8_layers() of the model
  std::vector<std::size_t> truths;  // the class of each sample, at least one sample
  std::size_t classes = 0;
  CalibrationAnswers answers;
  CalibrationLimits limits{};
  std::function<void(const std::string&)> on_news{};  // what is being tried; may be empty
};

// Samples by which layers are ranked, or all there are: each layer takes a pass over them.
inline constexpr std::size_t kRankingSamples = 64;

// Measures f32 and bf16, then int8. While int8 costs more than it may, layers are taken out of it,
// first those that alone change the logits most (mean square over the first kRankingSamples). The
// result says int8 only where that ends within the limits; its figures and kept layers are those of
// the last attempt, and `data` is left empty. Errors: those of `answers`; kInvalidArgument (no
// layers or no samples, logits of another size).
Result<core::Quantization> calibrate(const CalibrationTask& task);

}  // namespace mien::cli
