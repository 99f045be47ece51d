// Aligned faces in, expressions out: the inference engine on its own, without video. Whoever has
// faces already (a camera pipeline, a robot) links mien::engine and needs nothing but this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien {

namespace engine {
class RecognizerLoader;
}

// The type that linear layers and convolutions compute in. kAuto takes int8 where the CPU has
// instructions for it (AVX-512 VNNI) and the model file holds a calibration by which its answers
// stay what they are; else bf16 where the CPU has instructions for that and they are fast; else
// f32. kBf16 works everywhere: without such instructions weights and layer outputs are rounded to
// bf16 and the arithmetic is f32, which is no faster than kF32. kInt8: the linear layers of the
// transformer blocks multiply 8-bit activations, with a scale for every token of every call, by
// 8-bit weights, with a scale for every output channel; layers that the calibration names, and all
// else, stay in bf16 or f32. It works everywhere too, slowly and with 7-bit activations where the
// CPU lacks VNNI; a model that has no such layers (a landmark network) takes kAuto instead.
enum class Precision { kAuto, kF32, kBf16, kInt8 };

// "auto", "f32", "bf16", "int8".
const char* precision_name(Precision precision);

struct RecognizerOptions {
  Precision precision = Precision::kAuto;
  int threads = 0;  // per call; 0: every CPU this process may use
};

// What a call may ask of a model with a soft mask (AdaTosk) beside its logits. The mask says how
// much each token of a clip counts: a token is a small cube of the clip, some frames deep and one
// cell of a grid over the face wide. Tokens lie in the order [slot, row, column], slots by time,
// row 0 at the top, mask_slots() x mask_grid() x mask_grid() of them.
struct ClipOptions {
  // The share of the tokens, those of the largest mask, that the network computes to the end, above
  // 0 and at most 1; 0: Recognizer::budget(). Less is faster. May change with every call; what is
  // prepared for it is kept for the last four budgets.
  double budget = 0.0;

  // Where the mask of each clip goes: [clips, mask_slots, mask_grid, mask_grid] values in [0, 1];
  // empty: nowhere.
  std::span<float> mask{};

  // Where it goes which tokens were computed to the end: 1 or 0, laid out as mask; empty: nowhere.
  std::span<std::uint8_t> kept{};
};

// An expression model (S2D, VideoMAE, AdaTosk): a video model reads clips of exactly num_frames()
// frames, an image model (is_temporal() == false) reads single frames and averages over any number
// of them.
//
// A Recognizer is a cheap handle on immutable weights: copy it, share it between threads. The
// memory that a forward pass needs is in a Session; give each thread its own.
class Recognizer {
 public:
  class Session;

  // Reads a model file (DESIGN.md, Files) and prepares everything that does not depend on the
  // input, so that the first call is as fast as the later ones. Errors: those of opening a model
  // (kNotFound, kIo, kBadFormat, kUnsupported), kUnsupported when it is no expression model,
  // kLimit when a pass would need more memory than is sane.
  static Result<Recognizer> load(const std::string& path, const RecognizerOptions& options = {});

  int input_size() const;    // side of the square face crop in pixels
  int num_frames() const;    // frames of a clip; 1 for an image model
  bool is_temporal() const;  // video model: the frames of a clip see each other
  int num_classes() const;
  Precision precision() const;  // what kAuto became: kF32, kBf16 or kInt8

  // Class names in the order of the logits; "class 0", ... when the file does not name them.
  const std::vector<std::string>& classes() const;

  // Where five points belong in the crop (right eye's centre, i.e. the one at the image's left,
  // left eye, nose tip, mouth corner at the left, at the right): x0, y0, ... as fractions of its
  // side. Empty when the file does not say.
  const std::vector<float>& face_template() const;

  // Free JSON about data and training; empty when the file has none.
  const std::string& provenance_json() const;

  // Whether the model needs nothing but faces. An S2D model without its landmark network can only
  // be run from raw tensors ('mien infer'), and the calls of Session return kUnsupported.
  bool reads_faces() const;

  // Whether the file brings the landmark network that S2D's prompts need. Other models have none.
  bool has_landmark_net() const;

  // Whether ClipOptions mean anything to the model: AdaTosk. (Trained without both factors of its
  // mask, as an ablation, it has one that is 1 everywhere.)
  bool has_mask() const { return mask_slots() > 0; }

  // Steps in time and cells a side of the mask; 0 for a model without one. A slot spans
  // num_frames() / mask_slots() frames.
  int mask_slots() const;
  int mask_grid() const;

  // The share of the tokens that go past the mask unless a call says otherwise, in (0, 1]; 1 for a
  // model without a mask.
  double budget() const;

  // Floats that describe a part of a clip apart from the rest of it (Session::embed), so that
  // windows of a video that overlap share the work on it. 0: the model cannot (VideoMAE).
  int embedding_size() const;

  // The frames of such a part: 1, of AdaTosk those of a tubelet (2 as a rule: windows then share
  // what they begin an even number of frames apart). 0 where embedding_size() is.
  int embedding_frames() const;

  // A workspace for one thread. Errors: kLimit, kInternal (the compute library failed).
  Result<Session> session() const;

 private:
  friend class engine::RecognizerLoader;
  struct Impl;
  explicit Recognizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Scratch memory and prepared kernels. Move-only; one thread at a time; keeps the weights alive.
// After the first call of a given size and budget no call allocates memory of our own.
class Recognizer::Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Faces -> logits.
  //   faces:  u8 RGB, [clips, frames, input_size, input_size, 3], aligned as face_template says;
  //   logits: [clips, num_classes], before softmax.
  // A video model wants frames == num_frames(); an image model any frames >= 1 and averages them
  // (a still is clips = n, frames = 1). Errors: kInvalidArgument (sizes, also those of `options`; a
  // budget that is none), kUnsupported (see reads_faces; options other than the default for a model
  // without a mask), kLimit, kInternal.
  Status logits(std::span<const std::uint8_t> faces, int clips, int frames, std::span<float> logits,
                const ClipOptions& options = {});

  // The same with softmax over the classes: each row is >= 0 and sums to 1.
  Status probabilities(std::span<const std::uint8_t> faces, int clips, int frames,
                       std::span<float> probabilities, const ClipOptions& options = {});

  // Logits of stills: the mean over the face as it is and its mirror image, since one picture says
  // less than a clip. A video model that holds the image model that it grew from (as the bundled
  // one: keeps_image_model in its config) reads them by that; others are shown each as a clip in
  // which nothing moves.
  //   faces: u8 RGB [count, S, S, 3]; logits: [count, num_classes]; budget: see ClipOptions.
  // Allocates memory in every call. Errors as logits().
  Status still_logits(std::span<const std::uint8_t> faces, int count, std::span<float> logits,
                      double budget = 0.0);

  // The work that sees each frame (of AdaTosk each tubelet) alone, once for all clips that it is
  // in.
  //   faces: u8 RGB [frames, S, S, 3], frames a multiple of embedding_frames;
  //   embeddings: [frames / embedding_frames, embedding_size]. For an image model one is the class
  //   token after the last norm.
  // Errors as logits(), kUnsupported where embedding_size() is 0.
  Status embed(std::span<const std::uint8_t> faces, int frames, std::span<float> embeddings);

  // logits() of frames that embed() saw: [clips, frames / embedding_frames, embedding_size] ->
  // [clips, num_classes], the same but for rounding. Errors as embed() and logits().
  Status logits_of(std::span<const float> embeddings, int clips, int frames,
                   std::span<float> logits, const ClipOptions& options = {});

 private:
  friend class Recognizer;
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A landmark network (MobileFaceNet): a square face crop -> 68 points. A handle on immutable
// weights, as Recognizer is.
class LandmarkLocator {
 public:
  class Session;

  // Errors as Recognizer::load; kUnsupported when the file is no landmark model.
  static Result<LandmarkLocator> load(const std::string& path,
                                      const RecognizerOptions& options = {});

  int input_size() const;  // 112
  int num_points() const;  // 68

  Result<Session> session() const;

 private:
  struct Impl;
  explicit LandmarkLocator(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Move-only; one thread at a time.
class LandmarkLocator::Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // crops: u8 RGB [n, 112, 112, 3]; points: [n, 2 * num_points()] as x0, y0, x1, y1, ... in
  // fractions of the crop's side (0 left/top, 1 right/bottom; outside 0..1 when the face is cut).
  // Errors: kInvalidArgument (sizes), kInternal.
  Status locate(std::span<const std::uint8_t> crops, int n, std::span<float> points);

 private:
  friend class LandmarkLocator;
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mien
