// Rows into the events that a Stream gives.
#pragma once

#include <functional>
#include <map>

#include "mien/analyzer.hpp"

namespace mien::pipeline {

// Remembers one row per face that is there now, and nothing of those that have gone. One thread.
class EventMaker {
 public:
  // `positions`: kFaceSeen events too. `out` may be empty.
  EventMaker(bool positions, std::function<void(const Event&)> out);

  // As RowSink's.
  void found(const FaceObservation& face);
  void window(const ExpressionWindow& window);
  void lost(int track);

 private:
  void tell(EventKind kind, const FaceObservation& face) const;

  bool positions_;
  std::function<void(const Event&)> out_;
  std::map<int, FaceObservation> last_;  // by track
};

}  // namespace mien::pipeline
