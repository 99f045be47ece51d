// The face that a clip of a whole person shows: found once per clip, so that a square around it can
// be cut out of every frame. Needs media.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "learn/data/clip_lists.h"
#include "media/face_detector.h"

namespace mien::learn {

// Raised whenever the same clip and detector would give another square: caches of cut frames are
// then made again.
inline constexpr std::uint64_t kFaceRule = 1;

// The face that a frame is about: the largest, where one away from the middle must be larger to
// count as much (at a corner twice), and a doubtful one too (by its score). People behind and false
// alarms are mostly small, aside or doubtful. Boxes below `least_score`, or whose middle is outside
// the frame of width x height pixels, do not count; nothing when none is left.
std::optional<media::FaceBox> main_face(std::span<const media::FaceBox> boxes, int width,
                                        int height, float least_score);

// One square for all frames, from the faces found on some of them (at least one box). Boxes that
// miss most of the others are left out (another person, a false alarm), and of the rest the medians
// of place and size are taken. The square is 1.3 times as wide as the face's box, which is what the
// data sets that ship cut faces have about (1.2 to 1.4), and its middle 0.05 box heights lower:
// detectors' boxes reach from the forehead to a little above the chin (pipeline's box_shape: the
// chin is 0.6 heights below the middle), so that this leaves a tenth of a box below the chin, for a
// dropped jaw, and above the hairline. At most as wide as `longest` (>= 1), the frame's longer
// side; it may reach over the border.
FrameSquare face_square(std::span<const media::FaceBox> faces, int longest);

// Finds the faces of clips. One for all threads.
class FaceFinder {
 public:
  // `detector` as media::make_detector takes it, with the same errors: kNotFound, kBadFormat,
  // kUnsupported; also kInvalidArgument for no detector.
  static Result<std::unique_ptr<FaceFinder>> create(const std::string& detector);

  // Where the face of the clip is, which has `frames` frames (>= 1; count_frames): by face_square()
  // of the main_face() of up to nine frames spread evenly over them. The square stays the same over
  // the clip: a head that moves moves in it. Errors, with the path as context: kNotFound ("no face
  // was found" on any of these frames), and those of reading frames and of the detector.
  Result<FrameSquare> find(const ClipEntry& clip, std::int64_t frames);

 private:
  using Detector = std::unique_ptr<media::FaceDetector>;

  explicit FaceFinder(std::string detector) : spec_(std::move(detector)) {}
  Result<Detector> borrow();
  void give_back(Detector detector);

  std::string spec_;
  std::mutex mutex_;
  std::vector<Detector> idle_;  // a detector serves one thread at a time
};

// What finds the faces of clips of a format, or null where their frames are taken whole
// (cuts_to_faces). Errors: those of cuts_to_faces and FaceFinder::create.
Result<std::unique_ptr<FaceFinder>> make_face_finder(const std::string& faces,
                                                     const std::string& format,
                                                     const std::string& detector);

}  // namespace mien::learn
