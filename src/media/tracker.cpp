#include "media/tracker.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/assignment.h"

namespace mien::media {
namespace {

// No scene needs more; a detector gone wild must not make the assignment slow.
constexpr std::size_t kMostFaces = 64;
// A prediction without detections loses its speed with this time constant: heads stop, they do not
// fly on.
constexpr double kSpeedDecayS = 0.25;
// An unconfirmed track is given up after this share of the gap.
constexpr double kUnconfirmedGapShare = 0.5;

// Centre and size: what is smoothed and predicted.
struct State {
  double x = 0, y = 0, w = 0, h = 0;
};

State to_state(const FaceBox& b) {
  const double w = static_cast<double>(b.w);
  const double h = static_cast<double>(b.h);
  return {static_cast<double>(b.x) + w / 2, static_cast<double>(b.y) + h / 2, w, h};
}

FaceBox to_box(const State& s, float score) {
  auto px = [](double v) { return static_cast<float>(v); };
  return {px(s.x - s.w / 2), px(s.y - s.h / 2), px(s.w), px(s.h), score};
}

struct Track {
  int key = 0;
  int id = -1;
  State state;            // at the time of the last step
  double vx = 0, vy = 0;  // pixels per second
  double first_s = 0;     // first and last detection
  double last_s = 0;
  int hits = 0;  // detector runs that saw it
  int runs = 0;  // detector runs since it began
  float score = 0;
  bool seen = false;  // on the present frame
};

// How unlike a prediction and a detection are: below 1 they overlap well, above kMaxCost they are
// two faces.
constexpr double kMaxCost = 1.6;
double pair_cost(const State& predicted, const FaceBox& detection) {
  const State d = to_state(detection);
  const double iou = static_cast<double>(box_iou(to_box(predicted, 0), detection));
  const double size = std::sqrt(predicted.w * predicted.h * d.w * d.h);
  const double mean_side = std::sqrt(std::max(size, 1e-6));
  const double distance = std::hypot(predicted.x - d.x, predicted.y - d.y) / mean_side;
  const double ratio =
      std::abs(std::log(std::max(d.w * d.h, 1e-6) / std::max(predicted.w * predicted.h, 1e-6)));
  // Three times the area, or a centre more than a face away, is another face.
  if (ratio > std::log(3.0) || distance > 1.0) return 1e3;
  return (1.0 - iou) + 0.5 * distance + 0.2 * ratio;
}

}  // namespace

struct FaceTracker::Impl {
  TrackerOptions options;
  std::vector<Track> tracks;
  std::vector<EndedTrack> ended;
  int next_key = 0;
  int next_id = 1;
  double now_s = 0;
  bool started = false;

  double step_to(double time_s);
  void correct(Track& track, const FaceBox& box, double since_s);
  void begin(const FaceBox& box);
  void end_lost();
  void end(const Track& track);
  void confirm(Track& track);
  std::vector<TrackedFace> report() const;
};

// Moves every track to the time of the frame. Returns the time gone by.
double FaceTracker::Impl::step_to(double time_s) {
  if (!std::isfinite(time_s)) time_s = now_s;
  const double dt = started ? std::max(time_s - now_s, 0.0) : 0.0;
  now_s = started ? std::max(now_s, time_s) : time_s;
  started = true;
  for (Track& t : tracks) {
    t.state.x += t.vx * dt;
    t.state.y += t.vy * dt;
    t.seen = false;
  }
  return dt;
}

// An alpha-beta filter (constant velocity) with the gains of Benedict and Bordner (IRE Trans. AC
// 7(4), 1962).
void FaceTracker::Impl::correct(Track& t, const FaceBox& box, double since_s) {
  const State measured = to_state(box);
  const double alpha =
      options.smoothing_s > 0 ? std::max(1.0 - std::exp(-since_s / options.smoothing_s), 0.3) : 1.0;
  const double beta = alpha * alpha / (2.0 - alpha);
  const double rx = measured.x - t.state.x;
  const double ry = measured.y - t.state.y;
  t.state.x += alpha * rx;
  t.state.y += alpha * ry;
  t.state.w += alpha * (measured.w - t.state.w);
  t.state.h += alpha * (measured.h - t.state.h);
  if (since_s > 1e-6) {
    // Two faces a second across one's own width: faster is noise of the detector.
    const double limit = 8.0 * std::max(t.state.w, t.state.h);
    t.vx = std::clamp(t.vx + beta * rx / since_s, -limit, limit);
    t.vy = std::clamp(t.vy + beta * ry / since_s, -limit, limit);
  }
  t.last_s = now_s;
  t.score = box.score;
  t.seen = true;
  ++t.hits;
}

void FaceTracker::Impl::begin(const FaceBox& box) {
  Track t;
  t.key = next_key++;
  t.state = to_state(box);
  t.first_s = t.last_s = now_s;
  t.hits = t.runs = 1;
  t.score = box.score;
  t.seen = true;
  tracks.push_back(t);
}

void FaceTracker::Impl::end(const Track& t) {
  ended.push_back({t.key, t.id, t.first_s, t.last_s});
}

void FaceTracker::Impl::end_lost() {
  std::erase_if(tracks, [&](const Track& t) {
    const double gap = t.id < 0 ? options.max_gap_s * kUnconfirmedGapShare : options.max_gap_s;
    // The slack keeps a gap of exactly the limit alive whatever the rounding of time stamps.
    const bool lost = now_s - t.last_s > gap + 1e-6;
    if (lost) end(t);
    return lost;
  });
}

void FaceTracker::Impl::confirm(Track& t) {
  if (t.id >= 0 || !t.seen || t.hits < options.confirm_hits) return;
  if (t.last_s - t.first_s < options.confirm_s - 1e-6) return;
  if (static_cast<float>(t.hits) < options.confirm_share * static_cast<float>(t.runs)) return;
  t.id = next_id++;
}

std::vector<TrackedFace> FaceTracker::Impl::report() const {
  std::vector<TrackedFace> out;
  for (const Track& t : tracks) out.push_back({t.key, t.id, to_box(t.state, t.score), t.seen});
  return out;
}

FaceTracker::FaceTracker(const TrackerOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
}
FaceTracker::~FaceTracker() = default;
FaceTracker::FaceTracker(FaceTracker&&) noexcept = default;
FaceTracker& FaceTracker::operator=(FaceTracker&&) noexcept = default;

std::vector<TrackedFace> FaceTracker::update(double time_s, std::span<const FaceBox> detections) {
  Impl& my = *impl_;
  const double dt = my.step_to(time_s);
  my.end_lost();
  detections = detections.first(std::min(detections.size(), kMostFaces));
  std::vector<std::vector<double>> cost(my.tracks.size(), std::vector<double>(detections.size()));
  for (std::size_t t = 0; t < my.tracks.size(); ++t) {
    for (std::size_t d = 0; d < detections.size(); ++d) {
      // Of two tracks that fit alike, the one that people have been told about goes first.
      const double doubt = my.tracks[t].id < 0 ? 0.1 : 0.0;
      cost[t][d] = pair_cost(my.tracks[t].state, detections[d]) + doubt;
    }
  }
  const std::vector<int> pairs = assign(cost, kMaxCost);
  std::vector<bool> taken(detections.size(), false);
  for (std::size_t t = 0; t < my.tracks.size(); ++t) {
    Track& track = my.tracks[t];
    ++track.runs;
    if (pairs[t] >= 0) {
      taken[pairs[t]] = true;
      my.correct(track, detections[pairs[t]], my.now_s - track.last_s);
      my.confirm(track);
    } else {
      const double keep = std::exp(-dt / kSpeedDecayS);
      track.vx *= keep;
      track.vy *= keep;
    }
  }
  for (std::size_t d = 0; d < detections.size() && my.tracks.size() < kMostFaces; ++d) {
    if (taken[d] || !(detections[d].score >= my.options.start_score)) continue;
    my.begin(detections[d]);
    my.confirm(my.tracks.back());
  }
  return my.report();
}

std::vector<TrackedFace> FaceTracker::predict(double time_s) {
  impl_->step_to(time_s);
  impl_->end_lost();
  return impl_->report();
}

std::vector<EndedTrack> FaceTracker::take_ended() {
  return std::exchange(impl_->ended, {});
}

void FaceTracker::finish() {
  for (const Track& t : impl_->tracks) impl_->end(t);
  impl_->tracks.clear();
}

}  // namespace mien::media
