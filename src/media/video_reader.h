// Opens whatever the user named as a stream of frames.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/frame.h"

namespace mien::media {

struct SourceOptions {
  // Frames per second given to pictures, which have no times of their own.
  double image_fps = 25.0;
  // Threads of the video decoder; 0 lets FFmpeg choose. Each thread holds one more frame.
  int decoder_threads = 1;
  // Asked again and again while reading blocks or decodes; true stops with kCancelled. May be
  // empty. From the thread that reads.
  std::function<bool()> cancelled;
  // A network stream or device that gives nothing for so long is an error (kIo).
  double live_timeout_s = 15.0;
};

// Opens, by what `input` is:
//   a video file       any container and codec of the installed FFmpeg; the best video stream; the
//                      display matrix (rotation, mirror) is applied; times are the timestamps
//   an image file      one frame at 0 s
//   a directory        its pictures, sorted by name as bytes, one every 1 / image_fps seconds;
//   pictures may
//                      differ in size; info() has the first one's
//   /dev/videoN        a webcam (v4l2), also by its names below /dev/v4l/
//   scheme://...       a network stream that FFmpeg reads (rtsp, http, ...)
//   "-"                a video on standard input; from a pipe a container that needs no seeking (an
//                      MP4 with its index behind the frames does)
// Errors, each naming `input` as context: kNotFound (no such file), kBadFormat (empty file, not a
// video, no video stream, a frame size of 0, no frames' data at all), kLimit (frames beyond
// kMaxImageSide / kMaxImagePixels), kInvalidArgument (a directory without pictures), kIo,
// kUnsupported (no decoder), kCancelled.
Result<std::unique_ptr<FrameSource>> open_source(const std::string& input,
                                                 const SourceOptions& options = {});

// Frames already in memory, for tests and embedding: times must not decrease.
std::unique_ptr<FrameSource> make_memory_source(std::vector<Frame> frames,
                                                std::string name = "memory");

}  // namespace mien::media
