// The last frames of an input, for whoever learns only later what was on them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "pipeline/face_stage.h"

namespace mien::pipeline {

// Never more than 0.6 s of them or 128 MiB, but six at least. One thread.
class KeptFrames {
 public:
  // Numbers of frames increase, with gaps where some were dropped.
  void push(const FramePtr& frame) {
    kept_.push_back(frame);
    bytes_ += frame->rgb.rgb.size();
  }

  bool empty() const { return kept_.empty(); }

  // Whether the oldest one has to go.
  bool full() const {
    return kept_.size() > kLeast &&
           (kept_.front()->time_s < kept_.back()->time_s - kSeconds || bytes_ > kMostBytes);
  }

  FramePtr take_oldest() {
    FramePtr frame = std::move(kept_.front());
    kept_.pop_front();
    bytes_ -= frame->rgb.rgb.size();
    return frame;
  }

  // nullptr when it is not kept.
  FramePtr find(std::int64_t index) const {
    const auto at =
        std::lower_bound(kept_.begin(), kept_.end(), index,
                         [](const FramePtr& frame, std::int64_t i) { return frame->index < i; });
    return at != kept_.end() && (*at)->index == index ? *at : FramePtr();
  }

 private:
  // Half a window (0.27 s), half a stride, the time between two searches, and a little for the
  // sampler.
  static constexpr double kSeconds = 0.6;
  // Frames of 4K go earlier.
  static constexpr std::size_t kMostBytes = std::size_t{128} << 20;
  static constexpr std::size_t kLeast = 6;

  std::deque<FramePtr> kept_;
  std::size_t bytes_ = 0;
};

}  // namespace mien::pipeline
