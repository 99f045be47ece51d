// Frames in, rows of faces out: when to look for faces, and what to make of what was found.
#pragma once

#include <memory>
#include <vector>

#include "media/face_detector.h"
#include "media/frame.h"
#include "media/tracker.h"
#include "pipeline/stopwatch.h"

namespace mien::pipeline {

// Frames are shared by the stages and never changed.
using FramePtr = std::shared_ptr<const media::Frame>;

struct FaceStageOptions {
  double interval_s = 0.1;  // between two looks while nothing changes
  double whole_s = 0.3;     // between two looks at the whole frame while the faces stay
  bool still = false;       // a single picture: one sighting makes a face
};

// What became sure with one call.
struct FaceRows {
  std::vector<media::FaceRow> rows;
  std::vector<int> ended;  // ids of tracks of which no row will follow
};

// A frame together with the rows that became sure with it (mostly of frames before it).
struct SearchedFrame {
  FramePtr frame;  // nullptr with the rows that the end of the video decided
  FaceRows rows;
};

// Searching every frame costs too much, so frames are collected for `interval_s` and only the last
// one is searched: around the faces of the search before, and as a whole when one of them is gone
// or there are none. Every `whole_s` (so long may a further face go unseen) the frame after a
// searched one is looked over as a whole: a frame of its own, since windows end where faces are
// searched, and who waits for one should not wait for that as well. When the last frame shows the
// same faces as the search before, those between are interpolated; when a face came or went, they
// are searched too, so that tracks begin and end on the right frame. The times of the frames alone
// decide, never the clock: the same video gives the same rows. One thread.
class FaceStage {
 public:
  // `detector` and `clock` must outlive the stage.
  FaceStage(media::FaceDetector& detector, const FaceStageOptions& options, StageClock& clock);

  // The next frame. Errors: the detector's.
  Result<FaceRows> push(const FramePtr& frame);

  // The video is over.
  Result<FaceRows> finish();

 private:
  Result<std::vector<media::FaceBox>> search(const media::Frame& frame);
  Result<std::vector<media::FaceBox>> look(const media::Frame& frame);
  Result<bool> look_around(const media::Frame& frame);
  Status flush(FaceRows& out);
  Status settle(std::vector<media::FaceBox> boxes, FaceRows& out);
  void track(const media::Frame& frame, const std::vector<media::FaceBox>* boxes, FaceRows& out);
  bool same_faces(const std::vector<media::FaceBox>& boxes) const;

  media::FaceDetector& detector_;
  FaceStageOptions options_;
  StageClock& clock_;
  media::FaceTracker tracker_;
  media::TrackResolver resolver_;
  std::vector<FramePtr> pending_;           // since the last search
  std::vector<media::FaceBox> last_boxes_;  // of the last search
  std::int64_t last_frame_ = 0;
  double last_time_s_ = 0;
  double searched_s_ = 0;
  double whole_at_s_ = 0;               // last search of a whole frame
  std::vector<media::FaceBox> around_;  // what look_around() saw
  bool first_ = true;
};

}  // namespace mien::pipeline
