// From the rows of faces to whoever wants to know: what is found, in order and as soon as it is
// sure.
#pragma once

#include <cstdint>
#include <vector>

#include "media/tracker.h"
#include "mien/analyzer.hpp"
#include "pipeline/crop_stage.h"
#include "pipeline/expression_stage.h"
#include "pipeline/kept_frames.h"
#include "pipeline/window_row.h"

namespace mien::pipeline {

// Takes what is found. Called from one thread; an error ends the run.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // The input could be opened; nothing is decoded yet.
  virtual Status opened(const media::VideoInfo&) { return {}; }
  // A face on a frame, as soon as it is sure: those of one track by frame, those of different
  // tracks as it comes. Before any window of the track.
  virtual Status found(const FaceObservation&) { return {}; }
  // The same face later, when its frame is settled: by frame, then track.
  virtual Status face(const FaceObservation&) { return {}; }
  // By end of window within a track.
  virtual Status window(const WindowRow&) { return {}; }
  // Nothing more of this track will be found; only face() may still tell of it.
  virtual Status lost(int /*track*/) { return {}; }
  // All faces of this frame have been handed out (but for those that took unusually long to be sure
  // of), and the windows around it. Every frame, in order.
  virtual Status settled(const FramePtr&) { return {}; }
};

// Keeps frames until their faces are sure and the windows around them recognised. One thread.
class RowFlow {
 public:
  // Both must outlive the flow.
  RowFlow(RowSink& sink, ExpressionStage& expressions) : sink_(sink), expressions_(expressions) {}

  // The next frame. Errors: the recogniser's, the sink's.
  Status push(CroppedFrame cropped);

  // No frame will follow.
  Status finish();

 private:
  Status take(CropStep step);
  Status give_windows(const std::vector<WindowRow>& windows);
  Status give_faces(std::int64_t frame);
  Status settle_oldest();

  RowSink& sink_;
  ExpressionStage& expressions_;
  KeptFrames kept_;
  std::vector<media::FaceRow> waiting_faces_;
};

}  // namespace mien::pipeline
