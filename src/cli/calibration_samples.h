// What a calibration looks at: stills or clips with their classes, as an evaluation sees them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/model_file.h"
#include "engine/options.h"
#include "learn/data/clip_lists.h"
#include "learn/data/still_set.h"

namespace mien::cli {

struct CalibrationSource {
  learn::StillSource stills;      // path, format and split are those of clips too
  int fold = 1;                   // of clips
  std::string faces = "auto";     // of clips: learn::cuts_to_faces
  std::string detector = "haar";  // what finds those faces
  int rate = 1;                   // of clips: every rate-th frame
  std::size_t limit = 0;          // at most so many samples, drawn at random; 0: all
};

// Held in memory: a clip of 16 frames of 160x160 is 1.2 MB.
struct CalibrationSamples {
  bool stills = false;                            // else clips
  std::vector<std::vector<std::uint8_t>> pixels;  // u8 RGB [S, S, 3] or [frames, S, S, 3]
  std::vector<std::size_t> truths;                // the model's classes, one per sample
  int frames = 1;                                 // of a clip
};

// Reads the samples for a model, in an order that is random but the same in every run, so that the
// first of them are a fair part. Pictures that training has seen nearly alike are left out, and so
// are clips that cannot be read. Errors: those of reading the data set; kInvalidArgument when no
// sample is left or the model lacks a class of the clips; kUnsupported for a model that reads no
// faces.
Result<CalibrationSamples> read_samples(const core::ModelFile& model,
                                        const CalibrationSource& source);

// The engine's answers to the first `count` samples, logits [count, classes]: stills as `mien eval`
// asks about them, clips as one view. `cancelled` is asked before each sample; may be empty.
// Errors: those of loading and running the model; kCancelled.
Result<std::vector<float>> answer_samples(const core::ModelFile& model,
                                          const CalibrationSamples& samples,
                                          const engine::EngineOptions& options, std::size_t count,
                                          const std::function<bool()>& cancelled);

}  // namespace mien::cli
