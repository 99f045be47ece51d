// The two stages before recognition, each on a thread of its own: decoding, and finding faces.
#pragma once

#include <memory>
#include <optional>

#include "media/frame.h"
#include "pipeline/ahead.h"
#include "pipeline/face_stage.h"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// A frame together with the rows that became sure with it (mostly of frames before it).
struct SearchedFrame {
  FramePtr frame;  // nullptr with the rows that the end of the video decided
  FaceRows rows;
};

// Decodes a few frames ahead of `faces`, which searches a few frames ahead of the caller.
class ReadAhead {
 public:
  // `faces` and `decode_clock` must outlive this object and are used by its threads alone.
  ReadAhead(std::unique_ptr<media::FrameSource> source, FaceStage& faces, StageClock& decode_clock);

  // The next frame; nullopt after the last. Errors: the source's, the detector's.
  Result<std::optional<SearchedFrame>> next() { return searched_.next(); }

 private:
  Result<std::optional<FramePtr>> decode();
  Result<std::optional<SearchedFrame>> search();

  std::unique_ptr<media::FrameSource> source_;
  FaceStage& faces_;
  StageClock& decode_clock_;
  bool ended_ = false;
  Ahead<FramePtr> decoded_;
  Ahead<SearchedFrame> searched_;  // last: it reads from decoded_
};

}  // namespace mien::pipeline
