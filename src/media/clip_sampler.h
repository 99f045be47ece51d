// Which frames make a clip, chosen by time, so that the frame rate of the camera does not matter.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace mien::media {

struct ClipSamplerOptions {
  int window = 16;        // samples per clip, >= 1
  int stride = 4;         // grid steps from one window to the next, >= 1
  double rate_hz = 30.0;  // samples per second of the grid
};

// One clip.
struct ClipWindow {
  std::int64_t number = 0;  // 0, 1, 2 ... within the track
  double start_s = 0;       // time of the first sample
  double end_s = 0;         // time of the last sample (the last real one when padded) plus one step
  std::vector<std::int64_t>
      keys;             // `window` keys of frames, as pushed; a frame may occur more than once
  bool padded = false;  // the track ended first: its last frame is repeated
};

// Samples the frames of one track. The grid's points lie at whole multiples of 1 / rate_hz seconds;
// the first is the one nearest to the first frame (ties to the earlier). Each point takes the frame
// nearest in time, ties to the earlier one. Windows begin at the points 0, stride, 2 stride, ... of
// the track.
//
//   30 Hz, window 3, stride 2, frames a(0.00) b(0.04) c(0.08) d(0.12) (25 fps):
//   grid      0     .0333   .0667   .1     .1333   (.1667: no frame within half a step)
//   nearest   a     b       c       c      d       (c and d are equally near to .1: the earlier)
//   windows   [a b c] at 0 s, [c c d] at .0667 s
//
// Streaming: push() returns windows as soon as their last point is decided, and only frames from
// oldest_needed() on need to be kept. A grid point farther than half a step behind the last frame
// does not exist; a track with fewer points than a window gives one padded window at finish().
class ClipSampler {
 public:
  // Values below their least are raised to it.
  explicit ClipSampler(const ClipSamplerOptions& options = {});

  // The track's next frame. Times and keys must increase; a frame not later than the one before is
  // ignored.
  std::vector<ClipWindow> push(double time_s, std::int64_t key);

  // The track is over. Returns what is left; the sampler then accepts nothing more.
  std::vector<ClipWindow> finish();

  // Frames with smaller keys will not occur in any later window; nullopt before the first frame.
  std::optional<std::int64_t> oldest_needed() const;

 private:
  double point_time(std::int64_t point) const;
  void emit_ready(std::vector<ClipWindow>& out);
  void drop_used();

  struct Sample {
    double time_s;
    std::int64_t key;
  };
  ClipSamplerOptions options_;
  std::deque<std::int64_t> chosen_;  // keys of grid points base_, base_ + 1, ...
  std::int64_t base_ = 0;            // number, within the track, of chosen_[0]
  std::int64_t origin_ = 0;          // grid index of the track's first point
  std::int64_t windows_ = 0;         // given out so far
  std::optional<Sample> last_;
  bool finished_ = false;
};

// All windows of a track at once; keys are indices into `times_s` (increasing).
std::vector<ClipWindow> sample_windows(std::span<const double> times_s,
                                       const ClipSamplerOptions& options = {});

}  // namespace mien::media
