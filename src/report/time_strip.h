// A value over time per track, as a strip under a timeline shows it: what overlaps is averaged, and
// it is thinned as it comes so that an hour takes no more room than a minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace mien::report {

// A stretch of one value.
struct StripCell {
  double start_s = 0;
  double end_s = 0;
  double value = 0;
};

// Time is cut into steps; each holds the mean of what was said about it, by duration. When there
// are more than `max_cells` (at least 800), the steps become twice as long, everywhere. One thread.
class TimeStrip {
 public:
  explicit TimeStrip(double step_s = 1.0 / 30, std::size_t max_cells = 4800);

  // `value` holds in start_s..end_s of track `id`, in any order. Times or values that are not
  // finite, and pieces without duration or of more than 1000 steps, are ignored.
  void add(int id, double start_s, double end_s, double value);

  // In order of time; nothing where nothing was said. Empty for an unknown track.
  std::vector<StripCell> cells(int id) const;

  bool empty() const { return tracks_.empty(); }

 private:
  struct Step {
    double sum = 0;     // of value times duration
    double weight = 0;  // sum of durations
  };
  using Track = std::map<std::int64_t, Step>;

  void double_steps();
  void drop_shortest();

  double step_s_;
  std::size_t max_cells_;
  std::size_t cells_ = 0;
  std::map<int, Track> tracks_;
};

}  // namespace mien::report
