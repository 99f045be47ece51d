// Who answers for a clip in an evaluation: the engine that users run, or LibTorch as the reference.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mien/recognizer.hpp"

namespace mien::cli {

class ClipAnswers {
 public:
  virtual ~ClipAnswers() = default;
  virtual const std::vector<std::string>& classes() const = 0;
  virtual int side() const = 0;          // of the square frames, pixels
  virtual int frames() const = 0;        // of a clip; an image model averages over them
  virtual std::string name() const = 0;  // "engine, f32"
  // clip u8 RGB [frames, side, side, 3] -> logits [classes]. One thread.
  virtual Status logits(std::span<const std::uint8_t> clip, std::span<float> logits) = 0;
};

// Frames that an image model, which has no length of its own, sees of a clip: the papers' 16.
inline constexpr int kImageModelFrames = 16;

// Errors: those of Recognizer::load and session().
Result<std::unique_ptr<ClipAnswers>> engine_answers(const std::string& path, Precision precision,
                                                    int threads);

// The same model in LibTorch, f32. Errors: those of opening a model; kUnsupported for one that is
// no expression model or lacks its landmark net.
Result<std::unique_ptr<ClipAnswers>> reference_answers(const std::string& path, int threads);

}  // namespace mien::cli
