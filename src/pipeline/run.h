// One input from beginning to end.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "media/frame.h"
#include "mien/analyzer.hpp"
#include "pipeline/expression_stage.h"
#include "pipeline/face_stage.h"

namespace mien::pipeline {

// Takes what a run finds, in order. Called from one thread.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // The input could be opened; nothing is decoded yet.
  virtual Status opened(const media::VideoInfo& info) = 0;
  virtual Status face(const FaceObservation& face) = 0;
  virtual Status window(const WindowRow& row) = 0;
  // All faces of this frame have been handed out (but for those that took unusually long to be sure
  // of), and the windows around it. Every frame, in order.
  virtual Status settled(const FramePtr& frame) = 0;
};

// The networks and settings of an Analyzer.
struct RunContext {
  const AnalyzerOptions& options;
  const Recognizer& recognizer;
  const LandmarkLocator& locator;
  int window = 16;
};

// Analyses `input`. Errors as Analyzer::analyze, and those of the sink.
Result<AnalysisSummary> run_input(const RunContext& context, const std::string& input,
                                  const AnalyzerCallbacks& callbacks, RowSink& sink,
                                  Clocks& clocks);

}  // namespace mien::pipeline
