#include "pipeline/annotator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/image.h"
#include "report/palette.h"

namespace mien::pipeline {
namespace {

constexpr int kMaxSide = 1280;        // a browser shows no more of it
constexpr double kStripS = 10.0;      // the past that the strip shows
constexpr std::size_t kMaxLanes = 4;  // faces in the strip
constexpr std::size_t kFramesBehind = 2;
// A frame that is no sample of a window shows the nearest that is, up to two samples away.
constexpr double kHeatReachS = 2.01 / kSampleRateHz;

}  // namespace

Annotator::Annotator(std::string path, std::vector<std::string> classes, double fps,
                     StageClock& clock)
    : path_(std::move(path)),
      classes_(std::move(classes)),
      colors_(report::class_colors(classes_)),
      fps_(fps > 0 && fps < 1000 ? fps : 25.0),
      clock_(clock),
      queue_(kFramesBehind),
      thread_([this] { work(); }) {}

Annotator::~Annotator() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void Annotator::face(const FaceObservation& face) {
  faces_.push_back(face);
}

void Annotator::window(const WindowRow& row) {
  const ExpressionWindow& window = row.window;
  if (row.has_mask()) add_heat(row);
  past_[window.track].push_back({window.start_s, window.end_s,
                                 0.5 * (window.start_s + window.end_s), window.label,
                                 window.confidence, window.probabilities});
}

void Annotator::add_heat(const WindowRow& row) {
  auto& frames = heats_[row.window.track];
  const double cell = static_cast<double>(row.crop_size) / row.grid;  // in pixels of the crop
  for (std::size_t i = 0; i < row.places.size(); ++i) {
    const CropPlace& place = row.places[i];
    const auto mask = row.slot_mask(static_cast<int>(i) / row.samples_per_slot());
    const auto [found, is_new] = frames.try_emplace(place.frame);
    Heat& heat = found->second;
    if (is_new) {
      heat.time_s = row.window.start_s + static_cast<double>(i) / kSampleRateHz;
      const auto& m = place.to_frame.m;
      heat.to_frame.m = {m[0] * cell, m[1] * cell, m[2], m[3] * cell, m[4] * cell, m[5]};
      heat.grid = row.grid;
      heat.sum.resize(mask.size());
    }
    for (std::size_t k = 0; k < mask.size(); ++k) heat.sum[k] += mask[k];
    ++heat.count;
  }
}

void Annotator::put_heat(int track, double time_s, Overlay& overlay) const {
  const auto frames = heats_.find(track);
  if (frames == heats_.end()) return;
  const Heat* best = nullptr;
  double nearest_s = kHeatReachS;
  for (const auto& [frame, heat] : frames->second) {
    const double away = std::abs(heat.time_s - time_s);
    if (away > nearest_s) continue;
    best = &heat;
    nearest_s = away;
  }
  if (best == nullptr) return;
  OverlayHeat heat{best->to_frame, best->sum, best->grid};
  for (float& v : heat.values) v /= static_cast<float>(best->count);
  overlay.heats.push_back(std::move(heat));
}

const Annotator::Past* Annotator::nearest(int track, double time_s) const {
  const auto found = past_.find(track);
  if (found == past_.end() || found->second.empty()) return nullptr;
  const auto& past = found->second;
  const auto best = std::min_element(past.begin(), past.end(), [&](const Past& a, const Past& b) {
    return std::abs(a.center_s - time_s) < std::abs(b.center_s - time_s);
  });
  return &*best;
}

OverlayLane Annotator::lane_for(int track, double time_s) const {
  OverlayLane lane{track, {}};
  const auto& past = past_.at(track);
  const auto place = [&](double at) { return std::clamp((at - time_s) / kStripS + 1.0, 0.0, 1.0); };
  for (std::size_t i = 0; i < past.size(); ++i) {
    // A window counts from the middle between it and the one before to that after it.
    const bool first = i == 0 || past[i - 1].end_s < past[i].start_s;
    const bool last = i + 1 == past.size() || past[i].end_s < past[i + 1].start_s;
    const double from = first ? past[i].start_s : 0.5 * (past[i - 1].center_s + past[i].center_s);
    const double to = last ? past[i].end_s : 0.5 * (past[i].center_s + past[i + 1].center_s);
    if (place(to) <= place(from)) continue;
    lane.cells.push_back({place(from), place(to), past[i].probabilities});
  }
  return lane;
}

void Annotator::forget(double time_s) {
  for (auto it = past_.begin(); it != past_.end();) {
    auto& past = it->second;
    while (!past.empty() && past.front().end_s < time_s - kStripS) past.pop_front();
    it = past.empty() ? past_.erase(it) : std::next(it);
  }
  for (auto it = heats_.begin(); it != heats_.end();) {
    std::erase_if(it->second,
                  [&](const auto& item) { return item.second.time_s < time_s - kHeatReachS; });
    it = it->second.empty() ? heats_.erase(it) : std::next(it);
  }
}

Overlay Annotator::overlay_for(const media::Frame& frame) {
  Overlay overlay;
  overlay.class_colors = colors_;
  for (const FaceObservation& face : faces_) {
    if (face.frame != frame.index) continue;
    put_heat(face.track, frame.time_s, overlay);
    OverlayBox box{face.x, face.y, face.w, face.h, std::to_string(face.track), {255, 255, 255}};
    if (const Past* past = nearest(face.track, frame.time_s)) {
      const auto label = static_cast<std::size_t>(past->label);
      const int percent = static_cast<int>(std::lround(100.0F * past->confidence));
      box.caption += " " + classes_[label] + " " + std::to_string(percent) + "%";
      box.color = colors_[label];
    }
    overlay.boxes.push_back(std::move(box));
  }
  std::erase_if(faces_, [&](const FaceObservation& face) { return face.frame <= frame.index; });
  forget(frame.time_s);
  for (const auto& [track, past] : past_) {
    if (overlay.lanes.size() == kMaxLanes) break;
    overlay.lanes.push_back(lane_for(track, frame.time_s));
  }
  return overlay;
}

Status Annotator::frame(const FramePtr& frame) {
  {
    const std::lock_guard lock(mutex_);
    MIEN_TRY(Status(status_));
  }
  queue_.push({frame, overlay_for(*frame)});
  return {};
}

Status Annotator::write(const Job& job) {
  media::Image picture;
  const media::Image& original = job.frame->rgb;
  if (!writer_) {
    width_ = original.width;
    height_ = original.height;
    const int side = std::max(width_, height_);
    if (side > kMaxSide) {
      width_ = std::max(2, width_ * kMaxSide / side);
      height_ = std::max(2, height_ * kMaxSide / side);
    }
    media::VideoWriterOptions options;
    options.nominal_fps = fps_;
    MIEN_ASSIGN(media::VideoWriter writer,
                media::VideoWriter::open(path_, width_, height_, options));
    writer_ = std::move(writer);
  }
  // Pictures of a folder may differ in size; the film keeps that of the first.
  if (original.width != width_ || original.height != height_) {
    MIEN_ASSIGN(picture, media::resize_bilinear(original, width_, height_));
  } else {
    picture = original;
  }
  draw_overlay(picture, job.overlay, static_cast<double>(width_) / original.width);
  return writer_->write(picture, job.frame->time_s);
}

void Annotator::work() {
  while (auto job = queue_.pop()) {
    const Stopwatch watch(clock_);
    const Status done = write(*job);
    if (done.ok()) continue;
    {
      const std::lock_guard lock(mutex_);
      status_ = done;
    }
    queue_.close();
    return;
  }
}

Status Annotator::finish() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  MIEN_TRY(Status(status_));
  if (!writer_) return make_error(ErrorCode::kInvalidArgument, "no frame to write", path_);
  const Stopwatch watch(clock_);
  return writer_->finish();
}

}  // namespace mien::pipeline
