// Writes H.264 in MP4 that plays in browsers.
#pragma once

#include <memory>
#include <string>

#include "media/image.h"

namespace mien::media {

struct VideoWriterOptions {
  int max_side =
      0;         // frames are scaled down so that their longer side is at most this; 0: no limit
  int crf = 23;  // x264 quality, 0 (lossless) .. 51
  std::string preset = "veryfast";
  // The same frames always give the same bytes. Needs more of them: it does without x264's
  // macroblock tree, which (build 164, AVX-512) reads memory that nobody wrote.
  bool repeatable = false;
  int threads = 1;
  double nominal_fps =
      25.0;  // only the length of a single or last frame and rate control rest on it
};

// An MP4 file in the making: yuv420p, index in front (faststart), time base 1/90000, each frame at
// its own time (a variable rate stays variable). Odd sizes are padded to even ones by repeating the
// edge. Bytes go to a temporary name beside `path`; finish() renames; destroying an unfinished
// writer removes it. One thread.
class VideoWriter {
 public:
  // Frames will be width x height. Errors: kInvalidArgument (size), kIo (cannot write there;
  // context = path), kUnsupported (FFmpeg without libx264).
  static Result<VideoWriter> open(const std::string& path, int width, int height,
                                  const VideoWriterOptions& options = {});
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;
  ~VideoWriter();

  int width() const;  // of the written frames, after max_side and padding
  int height() const;

  // Adds a frame. Times in seconds must increase (a frame at or before the last one's time is moved
  // 1/90000 s after it). Error kInvalidArgument for another size than that given to open(), kIo
  // when the disk is full.
  Status write(const ImageView& frame, double time_s);

  // Ends the file and gives it its name. Error kInvalidArgument when no frame was written, kIo.
  Status finish();

 private:
  struct Impl;
  explicit VideoWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mien::media
