#include "pipeline/row_flow.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace mien::pipeline {
namespace {

// Half a window (0.27 s), half a stride, the time between two searches, and a little for the
// sampler.
constexpr double kSettleS = 0.6;
// ... but never more bytes than this: 4K frames settle earlier.
constexpr std::size_t kMaxKeptBytes = std::size_t{128} << 20;
constexpr std::size_t kMinKept = 6;

FaceObservation observation_of(const media::FaceRow& row) {
  return {row.frame, row.time_s, row.id, row.box.x, row.box.y, row.box.w, row.box.h, row.box.score};
}

}  // namespace

Status RowFlow::push(const SearchedFrame& searched) {
  const FramePtr& frame = searched.frame;
  if (frame == nullptr) return take(searched.rows);
  kept_.push_back(frame);
  kept_bytes_ += frame->rgb.rgb.size();
  MIEN_TRY(take(searched.rows));
  while (kept_.size() > kMinKept &&
         (kept_.front()->time_s < frame->time_s - kSettleS || kept_bytes_ > kMaxKeptBytes)) {
    MIEN_TRY(settle_oldest());
  }
  return {};
}

Status RowFlow::finish() {
  for (const int id : expressions_.open_tracks()) MIEN_TRY(end_track(id));
  while (!kept_.empty()) MIEN_TRY(settle_oldest());
  return give_faces(std::numeric_limits<std::int64_t>::max());
}

FramePtr RowFlow::kept_frame(std::int64_t index) const {
  const auto at =
      std::lower_bound(kept_.begin(), kept_.end(), index,
                       [](const FramePtr& frame, std::int64_t i) { return frame->index < i; });
  return at != kept_.end() && (*at)->index == index ? *at : FramePtr();
}

Status RowFlow::take(const FaceRows& rows) {
  for (const media::FaceRow& row : rows.rows) {
    waiting_faces_.push_back(row);
    MIEN_TRY(sink_.found(observation_of(row)));
    MIEN_ASSIGN(const auto windows, expressions_.push(row, kept_frame(row.frame)));
    MIEN_TRY(give_windows(windows));
  }
  for (const int id : rows.ended) MIEN_TRY(end_track(id));
  return {};
}

Status RowFlow::end_track(int id) {
  MIEN_ASSIGN(const auto windows, expressions_.end(id));
  MIEN_TRY(give_windows(windows));
  return sink_.lost(id);
}

Status RowFlow::give_windows(const std::vector<WindowRow>& windows) {
  for (const WindowRow& row : windows) MIEN_TRY(sink_.window(row));
  return {};
}

// Hands out the rows of all frames up to `frame`.
Status RowFlow::give_faces(std::int64_t frame) {
  const auto ready =
      std::stable_partition(waiting_faces_.begin(), waiting_faces_.end(),
                            [&](const media::FaceRow& row) { return row.frame <= frame; });
  std::sort(waiting_faces_.begin(), ready, [](const auto& a, const auto& b) {
    return std::tie(a.frame, a.id) < std::tie(b.frame, b.id);
  });
  for (auto row = waiting_faces_.begin(); row != ready; ++row) {
    MIEN_TRY(sink_.face(observation_of(*row)));
  }
  waiting_faces_.erase(waiting_faces_.begin(), ready);
  return {};
}

Status RowFlow::settle_oldest() {
  const FramePtr frame = std::move(kept_.front());
  kept_.pop_front();
  kept_bytes_ -= frame->rgb.rgb.size();
  MIEN_TRY(give_faces(frame->index));
  return sink_.settled(frame);
}

}  // namespace mien::pipeline
