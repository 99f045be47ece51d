#include "pipeline/read_ahead.h"

#include <utility>

namespace mien::pipeline {
namespace {

// Enough to even out the detector's pauses (it works on one frame in three); each is a whole frame
// in memory.
constexpr std::size_t kFramesAhead = 4;

}  // namespace

ReadAhead::ReadAhead(std::unique_ptr<media::FrameSource> source, FaceStage& faces,
                     StageClock& decode_clock)
    : source_(std::move(source)),
      faces_(faces),
      decode_clock_(decode_clock),
      decoded_([this] { return decode(); }, kFramesAhead),
      searched_([this] { return search(); }, kFramesAhead) {}

Result<std::optional<FramePtr>> ReadAhead::decode() {
  const Stopwatch watch(decode_clock_);
  MIEN_ASSIGN(std::optional<media::Frame> frame, source_->next());
  if (!frame) return std::optional<FramePtr>();
  return std::optional<FramePtr>(std::make_shared<const media::Frame>(std::move(*frame)));
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
