#include "pipeline/read_ahead.h"

#include <algorithm>
#include <utility>

namespace mien::pipeline {
std::size_t frames_ahead(const media::VideoInfo& info) {
  constexpr std::int64_t kMost = 4;
  constexpr std::int64_t kBytes = 32 << 20;
  const std::int64_t frame = std::int64_t{3} * std::max(info.width, 1) * std::max(info.height, 1);
  return static_cast<std::size_t>(std::clamp<std::int64_t>(kBytes / frame, 1, kMost));
}

ReadAhead::ReadAhead(std::unique_ptr<media::FrameSource> source, FaceStage& faces,
                     StageClock& decode_clock)
    : source_(std::move(source)),
      faces_(faces),
      decode_clock_(decode_clock),
      decoded_([this] { return decode(); }, frames_ahead(source_->info()),
               source_->info().paced ? WhenFull::kDropOldest : WhenFull::kWait),
      searched_([this] { return search(); }, frames_ahead(source_->info())) {}

Result<std::optional<FramePtr>> ReadAhead::decode() {
  const Stopwatch watch(decode_clock_);
  auto frame = source_->next();
  if (!frame.ok()) {
    // Who stops a camera wants what it has shown so far.
    const bool stopped = frame.error().code == ErrorCode::kCancelled && source_->info().live;
    if (stopped) return std::optional<FramePtr>();
    return frame.error();
  }
  if (!frame->has_value()) return std::optional<FramePtr>();
  return std::optional<FramePtr>(std::make_shared<const media::Frame>(std::move(**frame)));
}

Result<std::optional<SearchedFrame>> ReadAhead::search() {
  if (ended_) return std::optional<SearchedFrame>();
  MIEN_ASSIGN(const std::optional<FramePtr> frame, decoded_.next());
  SearchedFrame out;
  if (frame) {
    out.frame = *frame;
    MIEN_ASSIGN(out.rows, faces_.push(*frame));
  } else {
    ended_ = true;
    MIEN_ASSIGN(out.rows, faces_.finish());
  }
  return std::optional<SearchedFrame>(std::move(out));
}

}  // namespace mien::pipeline
