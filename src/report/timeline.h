// What a timeline drawing needs of a video: probabilities over time per face, thinned as they come
// so that an hour takes no more room than a minute.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace mien::report {

// The mean of neighbouring windows of one track.
struct TimelinePoint {
  double start_s = 0;   // of the first window
  double end_s = 0;     // of the last window
  double center_s = 0;  // mean of their middles
  std::int64_t windows = 0;
  std::vector<float> probabilities;  // by class
};

// One face.
struct TimelineTrack {
  int id = 0;
  std::vector<TimelinePoint> points;  // in order of time
};

// Collects windows and keeps at most about `max_points` points: when there are more, neighbours are
// merged two by two, everywhere, so that all tracks keep the same resolution. One thread.
class Timeline {
 public:
  explicit Timeline(std::vector<std::string> classes, std::size_t max_points = 2400);

  // A window of track `id`; those of one track in order of time. `probabilities` has one value per
  // class; others are ignored.
  void add(int id, double start_s, double end_s, std::span<const float> probabilities);

  const std::vector<std::string>& classes() const { return classes_; }
  // By falling number of seconds seen, at most `limit`, then in order of id.
  std::vector<TimelineTrack> longest_tracks(std::size_t limit) const;
  std::size_t track_count() const { return tracks_.size(); }
  bool empty() const { return tracks_.empty(); }

 private:
  void halve();

  std::vector<std::string> classes_;
  std::size_t max_points_;
  std::size_t points_ = 0;
  std::int64_t windows_per_point_ = 1;
  std::map<int, std::vector<TimelinePoint>> tracks_;
};

// Whether `next` follows `previous` without a gap in which the face was not seen.
bool touches(const TimelinePoint& previous, const TimelinePoint& next);

}  // namespace mien::report
