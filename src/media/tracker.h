// Gives faces a stable identity from frame to frame.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/face_detector.h"

namespace mien::media {

struct TrackerOptions {
  double max_gap_s =
      0.5;  // a face unseen for longer has left: its track ends at its last detection
  double confirm_s = 0.12;     // a track counts once it has been detected over so long a time ...
  int confirm_hits = 3;        // ... and in so many detector runs, ...
  float confirm_share = 0.6F;  // ... and in that share of the runs since it began
  float start_score = 0.0F;    // detections below it continue tracks but do not begin one (give the
                               // detector's track_threshold())
  double smoothing_s = 0.05;   // time constant of the box filter; 0: boxes as detected
};

// A face on one frame.
struct TrackedFace {
  int track = 0;  // key of the track, unique for the tracker's life, unconfirmed ones included
  int id = -1;  // number for people, 1, 2, 3 ... in order of confirmation; -1: not confirmed (yet)
  FaceBox box;  // smoothed when detected, predicted otherwise; score of the last detection
  bool detected = false;  // a detection on this very frame; false: predicted between detections
};

// A track that is over: nothing of it will be returned again.
struct EndedTrack {
  int track = 0;
  int id = -1;         // -1: it was never confirmed, a false alarm; forget what you kept for it
  double first_s = 0;  // first and last detection
  double last_s = 0;
};

// Assigns detections to tracks by overlap and centre distance against constant-velocity
// predictions, several faces at once, the globally best assignment (Hungarian). Times are seconds
// and must not decrease. Memory does not grow with the video. One thread.
//
// An unconfirmed track is reported too (id -1), so that the caller can keep its crops: on
// confirmation the same `track` gets an id. Frames after the last detection of a track are
// predictions which may turn out to lie after its end: use TrackResolver for tables that must not
// hold those.
class FaceTracker {
 public:
  explicit FaceTracker(const TrackerOptions& options = {});
  ~FaceTracker();
  FaceTracker(FaceTracker&&) noexcept;
  FaceTracker& operator=(FaceTracker&&) noexcept;

  // A frame on which the detector ran; every live track, in order of its key.
  std::vector<TrackedFace> update(double time_s, std::span<const FaceBox> detections);

  // A frame on which it did not run: predictions only; counts neither for nor against a track.
  std::vector<TrackedFace> predict(double time_s);

  // Tracks that ended since the last call.
  std::vector<EndedTrack> take_ended();

  // Ends every track (the video is over).
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One row of a table of faces: only what is sure.
struct FaceRow {
  std::int64_t frame = 0;
  double time_s = 0;
  int id = 0;
  FaceBox box;
  bool detected = false;  // false: interpolated between two detections of the same track
};

// Turns what a FaceTracker reports into rows: those of a track come out once it is confirmed (its
// first frames included), gaps come out as interpolations once the face is seen again, false alarms
// and the predictions behind a track's end never come out. Holds rows only for as long as a track
// is undecided or unseen (TrackerOptions::max_gap_s bounds it).
class TrackResolver {
 public:
  TrackResolver();
  ~TrackResolver();
  TrackResolver(TrackResolver&&) noexcept;
  TrackResolver& operator=(TrackResolver&&) noexcept;

  // What the tracker said about a frame, and what ended with it. Returns the rows decided now, by
  // frame then id (frames of different calls may interleave by up to the gap).
  std::vector<FaceRow> push(std::int64_t frame, double time_s, std::span<const TrackedFace> faces,
                            std::span<const EndedTrack> ended = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mien::media
