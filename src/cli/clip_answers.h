// Who answers for a clip in an evaluation: the engine that users run, or LibTorch as the reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mien/recognizer.hpp"

namespace mien::cli {

// What the soft mask of a model made of a clip: a value for each token, in the order [slot, place].
struct ClipMask {
  std::vector<float> mask{};         // in [0, 1]
  std::vector<std::uint8_t> kept{};  // 1 where the token was computed to the end, else 0
};

class ClipAnswers {
 public:
  virtual ~ClipAnswers() = default;
  virtual const std::vector<std::string>& classes() const = 0;
  virtual int side() const = 0;          // of the square frames, pixels
  virtual int frames() const = 0;        // of a clip; an image model averages over them
  virtual std::string name() const = 0;  // "engine, f32"
  // Steps in time of the soft mask; 0 for a model without one.
  virtual std::size_t mask_slots() const { return 0; }
  // The share of the tokens that is computed to the end; 1 for a model without a mask.
  virtual double budget() const { return 1.0; }
  // Whether the answer depends on the seed.
  virtual bool draws() const { return false; }
  // clip u8 RGB [frames, side, side, 3] -> logits [classes], and `mask` when it is not null (empty
  // for a model without one). `seed` is of what is drawn for this clip, where something is. One
  // thread.
  virtual Status logits(std::span<const std::uint8_t> clip, std::uint64_t seed,
                        std::span<float> logits, ClipMask* mask) = 0;
};

// Which tokens go on past AdaTosk's mask. All but the first are for controls: as many are drawn at
// random, and the mask still weighs them. Of slots whole ones are drawn, one after the other, and
// of the last as many tokens as are missing.
enum class TokenChoice { kLargestMask, kRandom, kRandomSlots };

// "mask", "random", "random-slots"; nothing for another name.
std::optional<TokenChoice> token_choice(const std::string& name);

struct ClipAnswerOptions {
  int threads = 0;                                 // 0: all
  Precision precision = Precision::kAuto;          // of the engine
  double budget = 0.0;                             // as ClipOptions::budget
  TokenChoice choice = TokenChoice::kLargestMask;  // others: LibTorch alone
};

// Frames that an image model, which has no length of its own, sees of a clip: the papers' 16.
inline constexpr int kImageModelFrames = 16;

// Errors: those of Recognizer::load and session(); kUnsupported for a budget and a model without a
// soft mask.
Result<std::unique_ptr<ClipAnswers>> engine_answers(const std::string& path,
                                                    const ClipAnswerOptions& options);

// The same model in LibTorch, f32. Errors: those of opening a model; kUnsupported for one that is
// no expression model or lacks its landmark net, and for a budget or a random choice and a model
// without a soft mask.
Result<std::unique_ptr<ClipAnswers>> reference_answers(const std::string& path,
                                                       const ClipAnswerOptions& options);

}  // namespace mien::cli
