// A video that comes through a file descriptor, for FFmpeg to read. Included by this folder's .cpp
// files only.
#pragma once

#include <functional>
#include <memory>

#include "media/av_handles.h"

namespace mien::media {

// FFmpeg's own protocol for pipes waits in read() and cannot be stopped there; this one asks
// `must_stop` all the while. Seeks where the descriptor is a file (`mien analyze - <talk.mp4`).
// One thread.
class PipeInput {
 public:
  // The descriptor stays the caller's. Errors: kInvalidArgument (a terminal), kInternal.
  static Result<std::unique_ptr<PipeInput>> open(int descriptor, std::function<bool()> must_stop);
  ~PipeInput();
  PipeInput(const PipeInput&) = delete;
  PipeInput& operator=(const PipeInput&) = delete;

  // For AVFormatContext::pb. Must outlive the format's context.
  AVIOContext* context() { return context_; }

 private:
  PipeInput(int descriptor, std::function<bool()> must_stop)
      : descriptor_(descriptor), must_stop_(std::move(must_stop)) {}
  static int read(void* self, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  int descriptor_;
  std::function<bool()> must_stop_;
  AVIOContext* context_ = nullptr;
};

}  // namespace mien::media
