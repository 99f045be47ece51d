#include "learn/data/clip_faces.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "learn/data/clip_frames.h"

namespace mien::learn {
namespace {

using media::FaceBox;

// Enough for a median that a blink of the detector does not move, on clips of a few seconds.
constexpr std::int64_t kProbes = 9;
constexpr double kMargin = 1.3;    // side of the square / of the box
constexpr double kLower = 0.05;    // of its middle, in sides of the box
constexpr float kSameFace = 0.1F;  // IoU: a head that has moved by 0.8 of its width still counts

// The middles of kProbes parts of the clip; all frames of a shorter one.
std::vector<std::int64_t> probe_indices(std::int64_t frames) {
  const std::int64_t count = std::min(kProbes, frames);
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back((2 * i + 1) * frames / (2 * count));
  return out;
}

double side_of(const FaceBox& box) {
  return static_cast<double>(std::max(box.w, box.h));
}

double middle_x(const FaceBox& box) {
  return static_cast<double>(box.x) + 0.5 * static_cast<double>(box.w);
}

double middle_y(const FaceBox& box) {
  return static_cast<double>(box.y) + 0.5 * static_cast<double>(box.h);
}

// The faces that are about where the one is that overlaps most with all.
std::vector<FaceBox> agreeing(std::span<const FaceBox> faces) {
  const FaceBox* middle = &faces.front();
  double best = -1.0;
  for (const FaceBox& face : faces) {
    double overlap = 0.0;
    for (const FaceBox& other : faces) overlap += static_cast<double>(media::box_iou(face, other));
    if (overlap > best) {
      best = overlap;
      middle = &face;
    }
  }
  std::vector<FaceBox> out = {*middle};
  for (const FaceBox& face : faces) {
    if (&face != middle && media::box_iou(face, *middle) > kSameFace) out.push_back(face);
  }
  return out;
}

double median(std::span<const FaceBox> faces, double (*value_of)(const FaceBox&)) {
  std::vector<double> values;
  for (const FaceBox& face : faces) values.push_back(value_of(face));
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::optional<FaceBox> main_face(std::span<const FaceBox> boxes, int width, int height,
                                 float least_score) {
  std::optional<FaceBox> best;
  double best_weight = 0.0;
  for (const FaceBox& box : boxes) {
    // From -1 to 1 across the frame.
    const double x = 2.0 * middle_x(box) / width - 1.0;
    const double y = 2.0 * middle_y(box) / height - 1.0;
    if (!(box.score >= least_score && std::abs(x) <= 1.0 && std::abs(y) <= 1.0)) continue;
    const double away = std::sqrt(0.5 * (x * x + y * y));  // 1 at the corners
    const double weight = side_of(box) * static_cast<double>(box.score) * (1.0 - 0.5 * away);
    if (weight > best_weight) {
      best_weight = weight;
      best = box;
    }
  }
  return best;
}

FrameSquare face_square(std::span<const FaceBox> faces, int longest) {
  const std::vector<FaceBox> same = agreeing(faces);
  const double side =
      std::clamp(std::round(kMargin * median(same, side_of)), 1.0, static_cast<double>(longest));
  const double x = median(same, middle_x);
  const double y = median(same, middle_y) + kLower * side / kMargin;
  return {static_cast<int>(std::lround(x - 0.5 * side)),
          static_cast<int>(std::lround(y - 0.5 * side)), static_cast<int>(side)};
}

Result<std::unique_ptr<FaceFinder>> FaceFinder::create(const std::string& detector) {
  // make_detector takes no name for its default; here it would rather be a slip.
  if (detector.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "no face detector is named");
  }
  std::unique_ptr<FaceFinder> finder(new FaceFinder(detector));
  MIEN_ASSIGN(Detector first, media::make_detector(detector));
  finder->idle_.push_back(std::move(first));
  return Result<std::unique_ptr<FaceFinder>>(std::move(finder));
}

// Made one at a time: a network is loaded with OpenCV's log, which is one for all, turned down.
Result<FaceFinder::Detector> FaceFinder::borrow() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return media::make_detector(spec_);
  Detector detector = std::move(idle_.back());
  idle_.pop_back();
  return Result<Detector>(std::move(detector));
}

void FaceFinder::give_back(Detector detector) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(detector));
}

Result<FrameSquare> FaceFinder::find(const ClipEntry& clip, std::int64_t frames) {
  ClipEntry whole = clip;
  whole.face = {};
  MIEN_ASSIGN(Detector detector, borrow());
  std::vector<FaceBox> faces;
  int longest = 1;
  const auto look = [&](std::int64_t, const media::Image& frame) -> Status {
    MIEN_ASSIGN(const std::vector<FaceBox> boxes, detector->detect(frame));
    const auto face = main_face(boxes, frame.width, frame.height, detector->track_threshold());
    if (face) faces.push_back(*face);
    longest = std::max({longest, frame.width, frame.height});
    return {};
  };
  const Status looked = visit_chosen_frames(whole, probe_indices(frames), look);
  give_back(std::move(detector));
  MIEN_TRY(looked);
  if (faces.empty()) return make_error(ErrorCode::kNotFound, "no face was found", clip.path);
  return face_square(faces, longest);
}

Result<std::unique_ptr<FaceFinder>> make_face_finder(const std::string& faces,
                                                     const std::string& format,
                                                     const std::string& detector) {
  MIEN_ASSIGN(const bool cuts, cuts_to_faces(faces, format));
  if (!cuts) return std::unique_ptr<FaceFinder>();
  return FaceFinder::create(detector);
}

}  // namespace mien::learn
