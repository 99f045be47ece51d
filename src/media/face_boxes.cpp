#include <algorithm>
#include <cmath>

#include "media/face_detector.h"

namespace mien::media {
namespace {

float overlap_area(const FaceBox& a, const FaceBox& b) {
  const float w = std::min(a.x + a.w, b.x + b.w) - std::max(a.x, b.x);
  const float h = std::min(a.y + a.h, b.y + b.h) - std::max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0.0F;
}

// Whether the smaller box is a part of the larger one (a detector's second thought about the same
// face).
bool is_part(const FaceBox& a, const FaceBox& b) {
  constexpr float kCovered = 0.7F;
  const float smaller = std::min(a.w * a.h, b.w * b.h);
  return smaller > 0 && overlap_area(a, b) > kCovered * smaller;
}

}  // namespace

float box_iou(const FaceBox& a, const FaceBox& b) {
  const float both = overlap_area(a, b);
  const float either = a.w * a.h + b.w * b.h - both;
  return either > 0 ? both / either : 0.0F;
}

std::vector<FaceBox> suppress_overlaps(std::vector<FaceBox> boxes, float max_iou) {
  std::erase_if(boxes, [](const FaceBox& b) {
    return !(std::isfinite(b.x) && std::isfinite(b.y) && b.w > 0 && b.h > 0 && std::isfinite(b.w) &&
             std::isfinite(b.h) && std::isfinite(b.score));
  });
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const FaceBox& a, const FaceBox& b) { return a.score > b.score; });
  std::vector<FaceBox> kept;
  for (const FaceBox& box : boxes) {
    const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const FaceBox& better) {
      return box_iou(box, better) > max_iou || is_part(box, better);
    });
    if (!hidden) kept.push_back(box);
  }
  return kept;
}

}  // namespace mien::media
