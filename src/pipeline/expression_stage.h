// Crops of faces in, expressions over time out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "media/clip_sampler.h"
#include "mien/analyzer.hpp"
#include "pipeline/crop_stage.h"
#include "pipeline/stopwatch.h"
#include "pipeline/window_row.h"

namespace mien::pipeline {

struct ExpressionStageOptions {
  int window = 16;    // samples
  int stride = 4;     // samples
  double budget = 0;  // see ClipOptions
  bool mask = false;  // rows bring the soft mask
};

// Keeps, per track, the samples that later windows need and nothing else. One thread.
class ExpressionStage {
 public:
  // `recognizer` and `clock`, which takes the recogniser's time, must outlive the stage.
  ExpressionStage(const Recognizer& recognizer, Recognizer::Session session,
                  const ExpressionStageOptions& options, StageClock& clock);

  // The next samples of a track, or its end; times and frames increase within a track. Returns the
  // windows that became complete. Errors: the network's.
  Result<std::vector<WindowRow>> push(CropStep step);

 private:
  // The samples that the model can look at apart from the rest of a window: one, or a tubelet's.
  using Part = std::vector<std::int64_t>;
  struct Track {
    explicit Track(const ExpressionStageOptions& options);
    media::ClipSampler sampler;                     // which samples make a window
    std::map<std::int64_t, FaceSample> samples;     // by frame
    std::map<Part, std::vector<float>> embeddings;  // where the model has such
  };

  static std::vector<media::ClipWindow> add(Track& track, CropStep step);
  std::vector<Part> parts_of(const media::ClipWindow& window) const;
  Status embed(Track& track, const std::vector<Part>& fresh);
  Status embed_fresh(Track& track, const media::ClipWindow& window);
  Status logits_of(Track& track, const media::ClipWindow& window, std::vector<float>& logits,
                   WindowRow& row);
  void prepare_mask(const Track& track, const media::ClipWindow& window, WindowRow& row) const;
  Result<WindowRow> recognise(int id, Track& track, const media::ClipWindow& window);
  Result<std::vector<WindowRow>> recognise_all(int id, Track& track,
                                               const std::vector<media::ClipWindow>& windows);

  const Recognizer& recognizer_;
  Recognizer::Session session_;
  ExpressionStageOptions options_;
  StageClock& clock_;
  std::map<int, Track> tracks_;
  std::vector<std::uint8_t> faces_;  // scratch: the crops of one call
  std::vector<float> embeddings_;    // scratch
  const std::size_t part_;           // samples of a part; 0: the model takes whole windows
};

// Probabilities of logits (softmax).
std::vector<float> softmax(const std::vector<float>& logits);

}  // namespace mien::pipeline
