#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "media/tracker.h"

namespace mien::media {
namespace {

struct Held {
  std::vector<FaceRow>
      rows;      // of an unconfirmed track, or since the last detection of a confirmed one
  FaceRow last;  // the last detection given out or held
  bool any = false;
};

FaceBox blend(const FaceBox& a, const FaceBox& b, float t) {
  auto mix = [t](float from, float to) { return from + t * (to - from); };
  return {mix(a.x, b.x), mix(a.y, b.y), mix(a.w, b.w), mix(a.h, b.h), mix(a.score, b.score)};
}

// The frames between two detections lie on the straight line between them: better than what was
// predicted before the second one was known.
void interpolate(std::vector<FaceRow>& rows, const FaceRow& from, const FaceRow& to) {
  const double span = to.time_s - from.time_s;
  for (FaceRow& row : rows) {
    if (row.detected || row.frame <= from.frame || row.frame >= to.frame) continue;
    const double t = span > 0 ? (row.time_s - from.time_s) / span : 0.5;
    row.box = blend(from.box, to.box, static_cast<float>(t));
  }
}

}  // namespace

struct TrackResolver::Impl {
  std::map<int, Held> held;
};

TrackResolver::TrackResolver() : impl_(std::make_unique<Impl>()) {}
TrackResolver::~TrackResolver() = default;
TrackResolver::TrackResolver(TrackResolver&&) noexcept = default;
TrackResolver& TrackResolver::operator=(TrackResolver&&) noexcept = default;

std::vector<FaceRow> TrackResolver::push(std::int64_t frame, double time_s,
                                         std::span<const TrackedFace> faces,
                                         std::span<const EndedTrack> ended) {
  std::vector<FaceRow> out;
  for (const EndedTrack& track : ended) impl_->held.erase(track.track);
  for (const TrackedFace& face : faces) {
    Held& held = impl_->held[face.track];
    const FaceRow row{frame, time_s, face.id, face.box, face.detected};
    held.rows.push_back(row);
    if (!face.detected) continue;
    if (held.any) interpolate(held.rows, held.last, row);
    held.last = row;
    held.any = true;
    if (face.id < 0) continue;
    for (FaceRow& ready : held.rows) {
      ready.id = face.id;
      out.push_back(ready);
    }
    held.rows.clear();
  }
  std::sort(out.begin(), out.end(), [](const FaceRow& a, const FaceRow& b) {
    return std::tie(a.frame, a.id) < std::tie(b.frame, b.id);
  });
  return out;
}

}  // namespace mien::media
