// Decoding and searching on their own threads: a camera is not kept waiting, and can be stopped.
#include "pipeline/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "pipeline/scripted_detector.h"

namespace mien::pipeline {
namespace {

// Gives black frames as fast as they are taken.
class QuickSource : public media::FrameSource {
 public:
  QuickSource(int frames, bool camera) : frames_(frames) {
    info_.width = info_.height = 8;
    info_.live = info_.paced = camera;
  }
  const media::VideoInfo& info() const override { return info_; }
  Result<std::optional<media::Frame>> next() override {
    if (at_ == frames_) {
      if (!ended_) ended.set_value();
      ended_ = true;
      if (cancelled) return make_error(ErrorCode::kCancelled, "stopped");
      return std::optional<media::Frame>();
    }
    media::Frame frame;
    frame.rgb = media::Image::black(8, 8);
    frame.index = at_;
    frame.time_s = at_ / 30.0;
    ++at_;
    return std::optional<media::Frame>(std::move(frame));
  }

  std::promise<void> ended;  // set when the last frame has been taken
  bool cancelled = false;    // the end is that somebody stopped it

 private:
  media::VideoInfo info_;
  int frames_;
  int at_ = 0;
  bool ended_ = false;
};

// What arrives when the detector wakes up only after the source is at its end, or, for a source
// that is no camera, at once.
struct Arrived {
  std::vector<std::int64_t> frames;
  std::int64_t dropped = 0;
  std::optional<Error> error;
};

Arrived read_all(bool camera, bool cancelled) {
  auto source = std::make_unique<QuickSource>(50, camera);
  source->cancelled = cancelled;
  const std::shared_future<void> ended = source->ended.get_future().share();
  ScriptedDetector detector([&](int) {
    if (camera) ended.wait();
    return std::vector<media::FaceBox>{};
  });
  StageClock clock;
  FaceStage faces(detector, {}, clock);
  Arrived arrived;
  ReadAhead reader(std::move(source), faces, clock);
  for (;;) {
    auto next = reader.next();
    if (!next.ok()) {
      arrived.error = next.error();
      break;
    }
    if (!next->has_value()) break;
    if ((*next)->frame != nullptr) arrived.frames.push_back((*next)->frame->index);
  }
  arrived.dropped = reader.dropped();
  return arrived;
}

TEST(ReadAhead, AFileIsReadWhole) {
  const Arrived arrived = read_all(false, false);
  EXPECT_FALSE(arrived.error);
  EXPECT_EQ(arrived.frames.size(), 50U);
  EXPECT_EQ(arrived.dropped, 0);
}

TEST(ReadAhead, ACameraThatIsTooFastLosesItsOldestFrames) {
  const Arrived arrived = read_all(true, false);
  EXPECT_FALSE(arrived.error);
  // At most the one that the detector had in hand, and the four that may wait.
  EXPECT_LE(arrived.frames.size(), 5U);
  EXPECT_EQ(static_cast<std::int64_t>(arrived.frames.size()) + arrived.dropped, 50);
  ASSERT_FALSE(arrived.frames.empty());
  EXPECT_EQ(arrived.frames.back(), 49);
  EXPECT_TRUE(std::is_sorted(arrived.frames.begin(), arrived.frames.end()));
}

TEST(ReadAhead, ACameraThatIsStoppedIsOver) {
  const Arrived arrived = read_all(true, true);
  EXPECT_FALSE(arrived.error) << arrived.error->to_string();
  EXPECT_EQ(arrived.frames.back(), 49);
}

TEST(ReadAhead, AFileThatIsStoppedIsAnError) {
  const Arrived arrived = read_all(false, true);
  ASSERT_TRUE(arrived.error);
  EXPECT_EQ(arrived.error->code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace mien::pipeline
