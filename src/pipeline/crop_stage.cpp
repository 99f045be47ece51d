#include "pipeline/crop_stage.h"

#include <algorithm>
#include <utility>

#include "mien/analyzer.hpp"

namespace mien::pipeline {
namespace {

// Points older than this say nothing about where the face is now.
constexpr double kPointsAgeS = 0.25;

}  // namespace

media::Landmarks between_points(const media::Landmarks& from, const media::Landmarks& to,
                                double share) {
  media::Landmarks points = to;
  const auto weight = static_cast<float>(share);
  for (std::size_t i = 0; i < points.xy.size(); ++i) {
    points.xy[i] = from.xy[i] + weight * (to.xy[i] - from.xy[i]);
  }
  return points;
}

CropStage::Track::Track() : picker({.window = 1, .stride = 1, .rate_hz = kSampleRateHz}) {}

Result<CroppedFrame> CropStage::push(const SearchedFrame& searched) {
  CroppedFrame out;
  out.frame = searched.frame;
  if (searched.frame != nullptr) kept_.push(searched.frame);
  for (const media::FaceRow& row : searched.rows.rows) {
    MIEN_ASSIGN(CropStep step, take(row, kept_.find(row.frame)));
    out.steps.push_back(std::move(step));
  }
  std::vector<int> ended = searched.rows.ended;
  if (searched.frame == nullptr) {
    for (const auto& [id, track] : tracks_) {
      if (std::find(ended.begin(), ended.end(), id) == ended.end()) ended.push_back(id);
    }
  }
  for (const int id : ended) {
    MIEN_ASSIGN(CropStep step, end(id));
    out.steps.push_back(std::move(step));
  }
  if (searched.frame == nullptr) kept_ = {};
  while (kept_.full()) kept_.take_oldest();
  return out;
}

Result<CropStep> CropStage::take(const media::FaceRow& row, const FramePtr& frame) {
  CropStep step{row.id, row, {}};
  Track& track = tracks_[row.id];
  if (!row.detected) {
    if (frame != nullptr) track.between.push_back({row, frame});
    return step;
  }
  // In a long gap the face was turned away or covered: an interpolated box shows something else.
  const bool continuous =
      track.last_detected_s && row.time_s - *track.last_detected_s <= longest_gap_s_;
  track.last_detected_s = row.time_s;
  if (row.time_s - track.points_s > kPointsAgeS) track.points.reset();
  std::optional<media::Landmarks> points;
  if (frame != nullptr) {
    MIEN_ASSIGN(points, aligner_.points(frame->rgb, row.box, track.points));
  }
  std::vector<Waiting> between = std::exchange(track.between, {});
  for (Waiting& waiting : between) {
    if (!continuous) continue;
    if (points && track.points) {
      const double share = (waiting.row.time_s - track.points_s) / (row.time_s - track.points_s);
      waiting.points = between_points(*track.points, *points, share);
    }
    MIEN_TRY(offer(track, std::move(waiting), step.samples));
  }
  if (frame != nullptr) MIEN_TRY(offer(track, {row, frame, points, true}, step.samples));
  track.points = std::move(points);
  track.points_s = row.time_s;
  return step;
}

Status CropStage::offer(Track& track, Waiting waiting, std::vector<FaceSample>& samples) {
  const std::int64_t key = waiting.row.frame;
  const double time_s = waiting.row.time_s;
  track.candidates.emplace(key, std::move(waiting));
  for (const media::ClipWindow& wanted : track.picker.push(time_s, key)) {
    MIEN_TRY(pick(track, wanted.keys.front(), samples));
  }
  if (const auto oldest = track.picker.oldest_needed()) {
    track.candidates.erase(track.candidates.begin(), track.candidates.lower_bound(*oldest));
  }
  return {};
}

// Two points of the grid may want the same frame: it is cut out once.
Status CropStage::pick(Track& track, std::int64_t key, std::vector<FaceSample>& samples) {
  const auto found = track.candidates.find(key);
  if (found == track.candidates.end() || track.last_cropped == key) return {};
  Waiting& wanted = found->second;
  const media::FaceRow& row = wanted.row;
  if (!wanted.points && !wanted.looked) {
    MIEN_ASSIGN(wanted.points, aligner_.points(wanted.frame->rgb, row.box, std::nullopt));
  }
  auto crop = aligner_.crop(wanted.frame->rgb, row.box, wanted.points);
  if (!crop.ok()) {
    // A box without area on the frame: nothing to look at, but no reason to give up either.
    if (crop.error().code == ErrorCode::kInvalidArgument) return {};
    return crop.error();
  }
  track.last_cropped = key;
  samples.push_back(
      {key, row.time_s, row.box, crop->to_frame,
       std::make_shared<const std::vector<std::uint8_t>>(std::move(crop->image.rgb))});
  return {};
}

Result<CropStep> CropStage::end(int id) {
  CropStep step{id, std::nullopt, {}};
  const auto found = tracks_.find(id);
  if (found == tracks_.end()) return step;
  for (const media::ClipWindow& wanted : found->second.picker.finish()) {
    MIEN_TRY(pick(found->second, wanted.keys.front(), step.samples));
  }
  tracks_.erase(found);
  return step;
}

}  // namespace mien::pipeline
