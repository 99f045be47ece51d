#include "media/pipe_input.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mien::media {
namespace {

constexpr int kBufferBytes = 1 << 16;  // what a pipe of Linux holds
constexpr int kPatienceMs = 100;       // between two looks at whether to stop

}  // namespace

Result<std::unique_ptr<PipeInput>> PipeInput::open(int descriptor,
                                                   std::function<bool()> must_stop) {
  if (::isatty(descriptor) == 1) {
    return make_error(ErrorCode::kInvalidArgument, "is a terminal: send a video through a pipe");
  }
  std::unique_ptr<PipeInput> input(new PipeInput(descriptor, std::move(must_stop)));
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return make_error(ErrorCode::kInternal, "out of memory");
  // Only from the beginning: FFmpeg counts from there.
  const bool seekable = ::lseek(descriptor, 0, SEEK_CUR) == 0;
  input->context_ = avio_alloc_context(buffer, kBufferBytes, 0, input.get(), &PipeInput::read,
                                       nullptr, seekable ? &PipeInput::seek : nullptr);
  if (input->context_ == nullptr) {
    av_free(buffer);
    return make_error(ErrorCode::kInternal, "out of memory");
  }
  return input;
}

PipeInput::~PipeInput() {
  if (context_ == nullptr) return;
  av_freep(&context_->buffer);  // FFmpeg may have taken another one meanwhile
  avio_context_free(&context_);
}

int PipeInput::read(void* self, std::uint8_t* buffer, int size) {
  const auto& my = *static_cast<PipeInput*>(self);
  for (;;) {
    if (my.must_stop_()) return AVERROR_EXIT;
    pollfd end{my.descriptor_, POLLIN, 0};
    const int ready = ::poll(&end, 1, kPatienceMs);
    if (ready < 0 && errno != EINTR) return AVERROR(errno);
    if (ready <= 0) continue;
    const ssize_t got = ::read(my.descriptor_, buffer, static_cast<std::size_t>(size));
    if (got > 0) return static_cast<int>(got);
    if (got == 0) return AVERROR_EOF;
    if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
  }
}

std::int64_t PipeInput::seek(void* self, std::int64_t offset, int whence) {
  const auto& my = *static_cast<PipeInput*>(self);
  if ((whence & AVSEEK_SIZE) != 0) {
    struct stat facts = {};
    if (::fstat(my.descriptor_, &facts) != 0) return AVERROR(errno);
    return facts.st_size;
  }
  const off_t at = ::lseek(my.descriptor_, offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR(errno) : at;
}

}  // namespace mien::media
