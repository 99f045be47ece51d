// Rows of faces in, expressions over time out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "media/clip_sampler.h"
#include "media/tracker.h"
#include "mien/analyzer.hpp"
#include "pipeline/face_aligner.h"
#include "pipeline/face_stage.h"
#include "pipeline/window_row.h"

namespace mien::pipeline {

struct ExpressionStageOptions {
  int window = 16;           // samples
  int stride = 4;            // samples
  double longest_gap_s = 0;  // between two detections; frames of longer gaps are not looked at
  double budget = 0;         // see ClipOptions
  bool mask = false;         // rows bring the soft mask
};

// Keeps, per track, the samples that later windows need and nothing else. One thread.
class ExpressionStage {
 public:
  // Everything must outlive the stage but `session`. `clock` takes the recogniser's time.
  ExpressionStage(const Recognizer& recognizer, Recognizer::Session session, FaceAligner& aligner,
                  const ExpressionStageOptions& options, StageClock& clock);

  // The next row of a track (times increase within a track) and its frame, or nullptr when the
  // frame is no longer kept, which leaves the row out. Returns the windows that became complete.
  // Errors: the networks'.
  Result<std::vector<WindowRow>> push(const media::FaceRow& row, const FramePtr& frame);

  // Nothing more of this track will come.
  Result<std::vector<WindowRow>> end(int id);

  // All tracks that were not ended.
  std::vector<int> open_tracks() const;

 private:
  struct Waiting {  // seen, but not yet known whether it is wanted
    media::FaceRow row;
    FramePtr frame;
  };
  struct Sample {
    media::FaceBox box;
    media::Affine to_frame;          // of the crop
    std::vector<std::uint8_t> crop;  // given up once embedded, where no other part can want it
  };
  // The samples that the model can look at apart from the rest of a window: one, or a tubelet's.
  using Part = std::vector<std::int64_t>;
  struct Track {
    explicit Track(const ExpressionStageOptions& options);
    std::vector<Waiting> between;  // interpolated, since the last detection
    std::optional<double> last_detected_s;
    media::ClipSampler picker;  // which frames the time grid wants at all
    std::map<std::int64_t, Waiting> candidates;
    media::ClipSampler sampler;  // which of those make a window
    std::map<std::int64_t, Sample> samples;
    std::map<Part, std::vector<float>> embeddings;  // where the model has such
    std::optional<media::Landmarks> points;
    double points_s = 0;
  };

  Status offer(Track& track, Waiting waiting, std::vector<media::ClipWindow>& windows);
  Status pick(Track& track, std::int64_t key, std::vector<media::ClipWindow>& windows);
  std::vector<Part> parts_of(const media::ClipWindow& window) const;
  Status embed(Track& track, const std::vector<Part>& fresh);
  Status embed_fresh(Track& track, const media::ClipWindow& window);
  Status embed_ahead(Track& track);
  Status logits_of(Track& track, const media::ClipWindow& window, std::vector<float>& logits,
                   WindowRow& row);
  void prepare_mask(const Track& track, const media::ClipWindow& window, WindowRow& row) const;
  Result<WindowRow> recognise(int id, Track& track, const media::ClipWindow& window);
  Result<std::vector<WindowRow>> recognise_all(int id, Track& track,
                                               const std::vector<media::ClipWindow>& windows);

  const Recognizer& recognizer_;
  Recognizer::Session session_;
  FaceAligner& aligner_;
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
