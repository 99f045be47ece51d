// The first two stages, each on a thread of its own: decoding, and finding faces.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "media/frame.h"
#include "pipeline/ahead.h"
#include "pipeline/face_stage.h"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// How many frames a stage may be ahead of the next one: enough to even out the detector's pauses
// (it works on one frame in three), but less of large frames: a 4K one takes 25 MB.
std::size_t frames_ahead(const media::VideoInfo& info);

// Decodes a few frames ahead of `faces`, which searches a few frames ahead of the caller. A camera
// is never kept waiting: frames that are not searched in time are dropped, the oldest first. A live
// source that is cancelled ends there, as if it were over.
class ReadAhead {
 public:
  // `faces` and `decode_clock` must outlive this object and are used by its threads alone.
  ReadAhead(std::unique_ptr<media::FrameSource> source, FaceStage& faces, StageClock& decode_clock);

  // The next frame; nullopt after the last. Errors: the source's, the detector's.
  Result<std::optional<SearchedFrame>> next() { return searched_.next(); }

  // Frames of a camera that nobody looked at.
  std::int64_t dropped() const { return decoded_.dropped(); }

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
