// The stages between frames and rows: finding and following faces, aligning them, recognising their
// expressions. A file and a stream go through the same.
#pragma once

#include <memory>

#include "media/face_detector.h"
#include "mien/analyzer.hpp"
#include "pipeline/crop_stage.h"
#include "pipeline/embed_stage.h"
#include "pipeline/expression_stage.h"
#include "pipeline/face_aligner.h"
#include "pipeline/face_stage.h"
#include "pipeline/row_flow.h"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// The networks and settings of an Analyzer.
struct RunContext {
  const AnalyzerOptions& options;
  const Recognizer& recognizer;
  const LandmarkLocator& locator;
  int window = 16;
};

class Stages {
 public:
  // One input's worth. What `context` refers to, `sink` and `clocks` must outlive the stages.
  // `still`: the input is a single picture. Errors: those of Recognizer::session and of
  // LandmarkLocator::session.
  static Result<std::unique_ptr<Stages>> create(const RunContext& context,
                                                std::unique_ptr<media::FaceDetector> detector,
                                                bool still, RowSink& sink, Clocks& clocks);
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;

  // For callers with threads: faces() on one, its rows into crop() on another, and what that gives
  // into flow() on a third.
  FaceStage& faces() { return faces_; }
  // Errors: the networks'.
  Result<CroppedFrame> crop(const SearchedFrame& searched);
  RowFlow& flow() { return flow_; }

  // For callers without: the next frame through all stages, here and now. What it decides is with
  // the sink when this returns. Errors: the detector's, the networks', the sink's.
  Status push(const FramePtr& frame);
  // No frame will follow. Errors as push().
  Status finish();

 private:
  Stages(const RunContext& context, std::unique_ptr<media::FaceDetector> detector,
         Recognizer::Session session, Recognizer::Session embedder, LandmarkLocator::Session points,
         bool still, RowSink& sink, Clocks& clocks);

  std::unique_ptr<media::FaceDetector> detector_;
  FaceAligner aligner_;
  FaceStage faces_;
  CropStage crops_;
  EmbedStage embeds_;
  ExpressionStage expressions_;
  RowFlow flow_;
};

}  // namespace mien::pipeline
