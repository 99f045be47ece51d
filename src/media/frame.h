// One picture of a video, and where frames come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/image.h"
#include "mien/result.hpp"

namespace mien::media {

// A decoded frame, upright (rotation applied).
struct Frame {
  Image rgb;
  double time_s = 0;  // presentation time, the first frame of a file being at its own timestamp
                      // less the stream's start; never decreasing from frame to frame
  std::int64_t index = 0;  // 0, 1, 2 ... in order of decoding
};

// What is known about a source once it is open.
struct VideoInfo {
  std::string input;      // as given by the user
  std::string container;  // e.g. "mov,mp4,m4a,3gp,3g2,mj2"; "images" for pictures
  std::string codec;      // e.g. "h264"; "" for pictures
  int width = 0;          // of the upright frames
  int height = 0;
  double fps = 0;         // mean rate by the header, 0 when unknown; times do not follow it
  double duration_s = 0;  // by the header, 0 when unknown or live
  std::int64_t declared_frames = 0;  // by the header, 0 when unknown; the decoder may give fewer
  bool live = false;       // a device, a network stream or a pipe: no length, no end to wait for
  bool paced = false;      // a camera: frames come whether somebody is ready for them or not
  bool truncated = false;  // known when opened: the file ends before its own index says
};

// A stream of frames. Not thread-safe; one thread at a time. Holds a bounded number of frames.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const VideoInfo& info() const = 0;

  // The next frame; nullopt after the last one. An Error (kBadFormat) after the last frame that
  // could be decoded when the file is cut short, kCancelled when the caller asked to stop, kIo when
  // a device or the network fails. After nullopt or an Error every further call returns the same
  // again.
  virtual Result<std::optional<Frame>> next() = 0;
};

}  // namespace mien::media
