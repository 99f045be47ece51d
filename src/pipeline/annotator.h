// Makes annotated.mp4: remembers what is known about the faces, draws and encodes on its own
// thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "media/video_writer.h"
#include "mien/analyzer.hpp"
#include "pipeline/bounded_queue.h"
#include "pipeline/face_stage.h"
#include "pipeline/overlay.h"
#include "pipeline/window_row.h"

namespace mien::pipeline {

// Faces and windows first, then the frame they belong to. All calls from one thread.
class Annotator {
 public:
  // The file appears at `path` with finish(). `clock` must outlive the annotator.
  Annotator(std::string path, std::vector<std::string> classes, double fps, StageClock& clock);
  ~Annotator();
  Annotator(const Annotator&) = delete;
  Annotator& operator=(const Annotator&) = delete;

  void face(const FaceObservation& face);
  void window(const WindowRow& row);
  // Waits while the encoder is behind. Errors: those of earlier frames' writing.
  Status frame(const FramePtr& frame);

  // Ends the file and gives it its name. Error kIo, kUnsupported, kInvalidArgument (no frame).
  Status finish();

 private:
  struct Job {
    FramePtr frame;
    Overlay overlay;
  };
  // Part of an ExpressionWindow, for the strip.
  struct Past {
    double start_s, end_s, center_s;
    int label;
    float confidence;
    std::vector<float> probabilities;
  };
  // What the windows of a face say about one of its frames, and where its crop lies there.
  struct Heat {
    double time_s = 0;
    media::Affine to_frame{};  // cell of the grid -> frame pixel
    int grid = 0;
    int count = 0;
    std::vector<float> sum{};  // of `count` masks, [grid, grid]
  };
  const Past* nearest(int track, double time_s) const;
  void add_heat(const WindowRow& row);
  void put_heat(int track, double time_s, Overlay& overlay) const;
  Overlay overlay_for(const media::Frame& frame);
  OverlayLane lane_for(int track, double time_s) const;
  void forget(double time_s);
  void work();
  Status write(const Job& job);

  std::string path_;
  std::vector<std::string> classes_;
  std::vector<media::Color> colors_;
  double fps_;
  StageClock& clock_;
  std::vector<FaceObservation> faces_;  // of frames not drawn yet
  std::map<int, std::deque<Past>> past_;
  std::map<int, std::map<std::int64_t, Heat>> heats_;  // by track and frame

  BoundedQueue<Job> queue_;
  std::optional<media::VideoWriter> writer_;  // of the thread
  int width_ = 0;                             // of the first frame
  int height_ = 0;
  Status status_;  // of the thread; read after join, or under mutex_
  std::mutex mutex_;
  std::thread thread_;
};

}  // namespace mien::pipeline
