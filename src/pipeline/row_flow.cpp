#include "pipeline/row_flow.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace mien::pipeline {
namespace {

FaceObservation observation_of(const media::FaceRow& row) {
  return {row.frame, row.time_s, row.id, row.box.x, row.box.y, row.box.w, row.box.h, row.box.score};
}

}  // namespace

Status RowFlow::push(CroppedFrame cropped) {
  if (cropped.frame != nullptr) kept_.push(cropped.frame);
  for (CropStep& step : cropped.steps) MIEN_TRY(take(std::move(step)));
  while (kept_.full()) MIEN_TRY(settle_oldest());
  return {};
}

Status RowFlow::finish() {
  while (!kept_.empty()) MIEN_TRY(settle_oldest());
  return give_faces(std::numeric_limits<std::int64_t>::max());
}

Status RowFlow::take(CropStep step) {
  const int track = step.track;
  const bool last = !step.row;
  if (step.row) {
    waiting_faces_.push_back(*step.row);
    MIEN_TRY(sink_.found(observation_of(*step.row)));
  }
  MIEN_ASSIGN(const auto windows, expressions_.push(std::move(step)));
  MIEN_TRY(give_windows(windows));
  return last ? sink_.lost(track) : Status();
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
  const FramePtr frame = kept_.take_oldest();
  MIEN_TRY(give_faces(frame->index));
  return sink_.settled(frame);
}

}  // namespace mien::pipeline
