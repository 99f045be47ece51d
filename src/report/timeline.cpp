#include "report/timeline.h"

#include <algorithm>
#include <utility>

namespace mien::report {
namespace {

// A track of one point cannot be thinned, so the points of very many short tracks could grow
// without bound; beyond this number of tracks the shortest ones give way.
constexpr std::size_t kMaxTracks = 400;
constexpr std::int64_t kMostWindowsPerPoint = std::int64_t{1} << 40;

// Adds `from` to `into`, weighted by their numbers of windows.
void merge(TimelinePoint& into, const TimelinePoint& from) {
  const double a = static_cast<double>(into.windows);
  const double b = static_cast<double>(from.windows);
  into.end_s = std::max(into.end_s, from.end_s);
  into.center_s = (a * into.center_s + b * from.center_s) / (a + b);
  const auto share = static_cast<float>(b / (a + b));
  for (std::size_t i = 0; i < into.probabilities.size(); ++i) {
    into.probabilities[i] += share * (from.probabilities[i] - into.probabilities[i]);
  }
  into.windows += from.windows;
}

double seconds_seen(const std::vector<TimelinePoint>& points) {
  return points.empty() ? 0.0 : points.back().end_s - points.front().start_s;
}

}  // namespace

bool touches(const TimelinePoint& previous, const TimelinePoint& next) {
  constexpr double kTolerance = 1e-6;
  return next.start_s <= previous.end_s + kTolerance;
}

Timeline::Timeline(std::vector<std::string> classes, std::size_t max_points)
    : classes_(std::move(classes)), max_points_(std::max<std::size_t>(max_points, 16)) {}

void Timeline::add(int id, double start_s, double end_s, std::span<const float> probabilities) {
  if (probabilities.size() != classes_.size()) return;
  std::vector<TimelinePoint>& points = tracks_[id];
  TimelinePoint point{
      start_s, end_s, 0.5 * (start_s + end_s), 1, {probabilities.begin(), probabilities.end()}};
  if (!points.empty() && points.back().windows < windows_per_point_ &&
      touches(points.back(), point)) {
    merge(points.back(), point);
    return;
  }
  points.push_back(std::move(point));
  ++points_;
  if (points_ > max_points_) halve();
}

void Timeline::halve() {
  // More tracks than points may ask for halving without end.
  if (windows_per_point_ < kMostWindowsPerPoint) windows_per_point_ *= 2;
  points_ = 0;
  for (auto& [id, points] : tracks_) {
    std::vector<TimelinePoint> thinned;
    thinned.reserve(points.size() / 2 + 1);
    for (TimelinePoint& point : points) {
      const bool joins = !thinned.empty() && touches(thinned.back(), point) &&
                         thinned.back().windows + point.windows <= windows_per_point_;
      if (joins) {
        merge(thinned.back(), point);
      } else {
        thinned.push_back(std::move(point));
      }
    }
    points = std::move(thinned);
    points_ += points.size();
  }
  while (tracks_.size() > kMaxTracks) {
    const auto shortest =
        std::min_element(tracks_.begin(), tracks_.end(), [](const auto& a, const auto& b) {
          return seconds_seen(a.second) < seconds_seen(b.second);
        });
    points_ -= shortest->second.size();
    tracks_.erase(shortest);
  }
}

std::vector<TimelineTrack> Timeline::longest_tracks(std::size_t limit) const {
  std::vector<TimelineTrack> out;
  for (const auto& [id, points] : tracks_) out.push_back({id, points});
  std::stable_sort(out.begin(), out.end(), [](const TimelineTrack& a, const TimelineTrack& b) {
    return seconds_seen(a.points) > seconds_seen(b.points);
  });
  if (out.size() > limit) out.resize(limit);
  std::sort(out.begin(), out.end(),
            [](const TimelineTrack& a, const TimelineTrack& b) { return a.id < b.id; });
  return out;
}

}  // namespace mien::report
