#include "pipeline/face_stage.h"

#include <algorithm>
#include <utility>

namespace mien::pipeline {
namespace {

// Frames that may wait for a search, however close in time they are (a 1000 Hz camera).
constexpr std::size_t kMaxPending = 16;
constexpr double kRounding = 0.0005;  // of time stamps, in seconds

media::TrackerOptions tracker_options(const media::FaceDetector& detector, bool still) {
  media::TrackerOptions options;
  options.start_score = detector.track_threshold();
  if (still) {
    options.confirm_s = 0;
    options.confirm_hits = 1;
  }
  return options;
}

}  // namespace

FaceStage::FaceStage(media::FaceDetector& detector, const FaceStageOptions& options,
                     StageClock& clock)
    : detector_(detector),
      options_(options),
      clock_(clock),
      tracker_(tracker_options(detector, options.still)) {}

Result<std::vector<media::FaceBox>> FaceStage::search(const media::Frame& frame) {
  const Stopwatch watch(clock_);
  auto boxes = detector_.detect(frame.rgb);
  if (!boxes.ok()) return boxes.error().within("frame " + std::to_string(frame.index));
  return boxes;
}

// The frame that ends an interval: near the faces of the last search where that will do.
Result<std::vector<media::FaceBox>> FaceStage::look(const media::Frame& frame) {
  // At few frames a second there is none between two searches for look_around().
  const double latest_s = options_.whole_s + options_.interval_s;
  const bool whole = last_boxes_.empty() || frame.time_s - whole_at_s_ >= latest_s - kRounding;
  if (!whole) {
    const Stopwatch watch(clock_);
    auto boxes = detector_.detect_near(frame.rgb, last_boxes_);
    if (!boxes.ok()) return boxes.error().within("frame " + std::to_string(frame.index));
    if (same_faces(*boxes)) return boxes;
  }
  whole_at_s_ = frame.time_s;
  return search(frame);
}

// Whether every face of the last search has exactly one counterpart now, and the other way round.
bool FaceStage::same_faces(const std::vector<media::FaceBox>& boxes) const {
  constexpr float kSameFace = 0.4F;  // overlap of a face with itself a tenth of a second later
  if (boxes.size() != last_boxes_.size()) return false;
  return std::all_of(boxes.begin(), boxes.end(), [&](const media::FaceBox& box) {
    return std::count_if(last_boxes_.begin(), last_boxes_.end(), [&](const media::FaceBox& other) {
             return media::box_iou(box, other) > kSameFace;
           }) == 1;
  });
}

void FaceStage::track(const media::Frame& frame, const std::vector<media::FaceBox>* boxes,
                      FaceRows& out) {
  const auto faces =
      boxes != nullptr ? tracker_.update(frame.time_s, *boxes) : tracker_.predict(frame.time_s);
  const auto ended = tracker_.take_ended();
  for (media::FaceRow& row : resolver_.push(frame.index, frame.time_s, faces, ended)) {
    out.rows.push_back(row);
  }
  for (const media::EndedTrack& track : ended) {
    if (track.id >= 0) out.ended.push_back(track.id);
  }
}

// Whether there are other faces than at the last search, which are in around_ then.
Result<bool> FaceStage::look_around(const media::Frame& frame) {
  MIEN_ASSIGN(around_, search(frame));
  whole_at_s_ = frame.time_s;
  return !same_faces(around_);
}

Status FaceStage::flush(FaceRows& out) {
  if (pending_.empty()) return {};
  MIEN_ASSIGN(std::vector<media::FaceBox> boxes, look(*pending_.back()));
  return settle(std::move(boxes), out);
}

// With what the last of the pending frames shows.
Status FaceStage::settle(std::vector<media::FaceBox> boxes, FaceRows& out) {
  const bool steady = !first_ && same_faces(boxes);
  for (std::size_t i = 0; i + 1 < pending_.size(); ++i) {
    if (steady) {
      track(*pending_[i], nullptr, out);
    } else {
      MIEN_ASSIGN(const auto between, search(*pending_[i]));
      track(*pending_[i], &between, out);
    }
  }
  track(*pending_.back(), &boxes, out);
  last_boxes_ = std::move(boxes);
  searched_s_ = pending_.back()->time_s;
  first_ = false;
  pending_.clear();
  return {};
}

Result<FaceRows> FaceStage::push(const FramePtr& frame) {
  FaceRows out;
  pending_.push_back(frame);
  last_frame_ = frame->index;
  last_time_s_ = frame->time_s;
  const bool due = frame->time_s - searched_s_ >= options_.interval_s - kRounding;
  if (first_ || due || pending_.size() >= kMaxPending) {
    MIEN_TRY(flush(out));
    return out;
  }
  const bool overdue = frame->time_s - whole_at_s_ >= options_.whole_s - kRounding;
  if (detector_.looks_near() && overdue && pending_.size() == 1 && !last_boxes_.empty()) {
    MIEN_ASSIGN(const bool changed, look_around(*frame));
    if (changed) MIEN_TRY(settle(std::move(around_), out));
  }
  return out;
}

Result<FaceRows> FaceStage::finish() {
  FaceRows out;
  MIEN_TRY(flush(out));
  tracker_.finish();
  const auto ended = tracker_.take_ended();
  for (media::FaceRow& row : resolver_.push(last_frame_, last_time_s_, {}, ended)) {
    out.rows.push_back(row);
  }
  for (const media::EndedTrack& track : ended) {
    if (track.id >= 0) out.ended.push_back(track.id);
  }
  return out;
}

}  // namespace mien::pipeline
