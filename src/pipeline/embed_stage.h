// Crops in, and what windows share computed from them ahead of the windows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "media/clip_sampler.h"
#include "mien/recognizer.hpp"
#include "pipeline/crop_stage.h"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// Embeds the parts (frames, tubelets) of the windows that begin every `stride` samples, a few in
// one call and on the cropping thread while the windows before are recognised. What it leaves out
// (the end of a track, strides that lie across the parts) whoever recognises embeds himself. One
// thread.
class EmbedStage {
 public:
  // `recognizer` and `clock`, which takes the time, must outlive the stage.
  EmbedStage(const Recognizer& recognizer, Recognizer::Session session, int stride,
             StageClock& clock);

  // Adds to the frame's steps the embeddings that became known with them. Errors: the network's.
  Status push(CroppedFrame& cropped);

 private:
  struct Track {
    explicit Track(int batch);
    media::ClipSampler sampler;  // batches as windows will have them
    std::map<std::int64_t, std::shared_ptr<const std::vector<std::uint8_t>>> crops;  // by frame
  };

  Status embed(const Track& track, const media::ClipWindow& batch, CropStep& step);

  const Recognizer& recognizer_;
  Recognizer::Session session_;
  StageClock& clock_;
  int part_;   // samples of a part; 0: the model takes whole windows
  int batch_;  // samples embedded in one call; 0: none
  std::map<int, Track> tracks_;
  std::vector<std::uint8_t> faces_;  // scratch: the crops of one call
  std::vector<float> values_;        // scratch
};

}  // namespace mien::pipeline
