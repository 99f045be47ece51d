// Rows of faces and their frames in, crops of the faces on a grid of time out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "media/clip_sampler.h"
#include "media/tracker.h"
#include "pipeline/face_aligner.h"
#include "pipeline/face_stage.h"
#include "pipeline/kept_frames.h"

namespace mien::pipeline {

// One look at a face: what windows are made of.
struct FaceSample {
  std::int64_t frame = 0;
  double time_s = 0;
  media::FaceBox box;
  media::Affine to_frame;                                 // of the crop
  std::shared_ptr<const std::vector<std::uint8_t>> crop;  // RGB [side, side, 3]
};

// What windows share of some samples, see Session::embed.
struct PartEmbedding {
  std::vector<std::int64_t> frames;  // of the samples, by time; one may occur twice
  std::vector<float> values;
};

// What one row decided, or the end of its track.
struct CropStep {
  int track = 0;
  std::optional<media::FaceRow> row;        // nullopt: nothing more of the track will come
  std::vector<FaceSample> samples;          // that became sure, by time
  std::vector<PartEmbedding> embeddings{};  // of the track, where somebody made them (EmbedStage)
};

// A frame with what became sure with it (mostly about frames before it).
struct CroppedFrame {
  FramePtr frame;  // nullptr with what the end of the video decided
  std::vector<CropStep> steps;
};

// Points at `share` (0..1) of the way from those of one frame to those of another.
media::Landmarks between_points(const media::Landmarks& from, const media::Landmarks& to,
                                double share);

// Picks, per track, the frames that the grid of kSampleRateHz wants, and cuts the face out of those
// alone. As the boxes, the points that a face is aligned by are found on the frames that were
// searched and interpolated between them, where both are to be trusted. One thread.
class CropStage {
 public:
  // `aligner` must outlive the stage. `longest_gap_s`: between two detections; frames of longer
  // gaps are not looked at.
  CropStage(FaceAligner& aligner, double longest_gap_s)
      : aligner_(aligner), longest_gap_s_(longest_gap_s) {}

  // The next frame, or, without one, the end. A row whose frame is no longer kept gives no sample.
  // Errors: the landmark network's.
  Result<CroppedFrame> push(const SearchedFrame& searched);

 private:
  struct Waiting {  // seen, but not yet known whether it is wanted
    media::FaceRow row;
    FramePtr frame;
    std::optional<media::Landmarks> points{};
    bool looked = false;  // for points, on this very frame
  };
  struct Track {
    Track();
    std::vector<Waiting> between;  // interpolated, since the last detection
    std::optional<double> last_detected_s;
    media::ClipSampler picker;  // which frames the grid wants
    std::map<std::int64_t, Waiting> candidates;
    std::optional<std::int64_t> last_cropped;
    std::optional<media::Landmarks> points;  // on the last searched frame
    double points_s = 0;                     // its time
  };

  Result<CropStep> take(const media::FaceRow& row, const FramePtr& frame);
  Status offer(Track& track, Waiting waiting, std::vector<FaceSample>& samples);
  Status pick(Track& track, std::int64_t key, std::vector<FaceSample>& samples);
  Result<CropStep> end(int id);

  FaceAligner& aligner_;
  double longest_gap_s_;
  KeptFrames kept_;
  std::map<int, Track> tracks_;
};

}  // namespace mien::pipeline
