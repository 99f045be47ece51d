#include "pipeline/event_maker.h"

#include <utility>

namespace mien::pipeline {

EventMaker::EventMaker(bool positions, std::function<void(const Event&)> out)
    : positions_(positions), out_(std::move(out)) {}

void EventMaker::tell(EventKind kind, const FaceObservation& face) const {
  Event event;
  event.kind = kind;
  event.track = face.track;
  event.time_s = face.time_s;
  event.face = face;
  out_(event);
}

void EventMaker::found(const FaceObservation& face) {
  if (!out_) return;
  const bool is_new = last_.insert_or_assign(face.track, face).second;
  if (is_new) tell(EventKind::kFaceFound, face);
  if (positions_) tell(EventKind::kFaceSeen, face);
}

void EventMaker::window(const ExpressionWindow& window) {
  if (!out_) return;
  Event event;
  event.kind = EventKind::kExpression;
  event.track = window.track;
  event.time_s = window.end_s;
  event.expression = window;
  out_(event);
}

void EventMaker::lost(int track) {
  const auto last = last_.find(track);
  if (last == last_.end()) return;
  tell(EventKind::kFaceLost, last->second);
  last_.erase(last);
}

}  // namespace mien::pipeline
