#include "mien/stream.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "media/packed_frame.h"
#include "pipeline/analyzer_impl.h"
#include "pipeline/event_maker.h"

namespace mien {
namespace {

// Up to here a double tells microseconds apart, which the sampler's grid relies on; Unix times are
// well within.
constexpr double kMaxTimeS = 4294967296.0;

media::PixelLayout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb: return media::PixelLayout::kRgb;
    case PixelFormat::kBgr: return media::PixelLayout::kBgr;
    case PixelFormat::kRgba: return media::PixelLayout::kRgba;
    case PixelFormat::kBgra: return media::PixelLayout::kBgra;
    case PixelFormat::kGray: return media::PixelLayout::kGray;
    case PixelFormat::kYuyv: return media::PixelLayout::kYuyv;
    case PixelFormat::kNv12: break;
  }
  return media::PixelLayout::kNv12;
}

// Rows into the events of the present call.
class EventSink : public pipeline::RowSink {
 public:
  explicit EventSink(bool positions)
      : maker_(positions, [this](const Event& event) { events_.push_back(event); }) {}
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  Status found(const FaceObservation& face) override {
    maker_.found(face);
    return {};
  }
  Status window(const pipeline::WindowRow& row) override {
    maker_.window(row.window);
    return {};
  }
  Status lost(int track) override {
    maker_.lost(track);
    return {};
  }

  std::vector<Event> take() { return std::exchange(events_, {}); }

 private:
  std::vector<Event> events_;
  pipeline::EventMaker maker_;
};

}  // namespace

struct Stream::Impl {
  Impl(const Analyzer& with, bool positions) : analyzer(with), sink(positions) {}

  Status check(const FrameView& frame) const;
  Result<std::vector<Event>> outcome(const Status& done);

  Analyzer analyzer;  // keeps the networks alive
  EventSink sink;
  pipeline::Clocks clocks;
  std::unique_ptr<pipeline::Stages> stages;
  std::optional<Error> broken;
  bool finished = false;
  std::int64_t frames = 0;  // taken so far
  double last_s = 0;        // of the last one
  int width = 0;            // of the first one
  int height = 0;
};

// What to_rgb() does not look at.
Status Stream::Impl::check(const FrameView& frame) const {
  const auto wrong = [](const std::string& what) {
    return make_error(ErrorCode::kInvalidArgument, what);
  };
  if (finished) return wrong("the stream is finished");
  if (!std::isfinite(frame.time_s) || std::abs(frame.time_s) > kMaxTimeS) {
    return wrong("the frame's time is not a number of seconds within 2^32");
  }
  if (frames == 0) return {};
  if (frame.time_s <= last_s) {
    return wrong("the frame's time, " + std::to_string(frame.time_s) +
                 " s, is not after the last one's, " + std::to_string(last_s) + " s");
  }
  if (frame.width != width || frame.height != height) {
    return wrong("a frame of " + std::to_string(frame.width) + "x" + std::to_string(frame.height) +
                 " in a stream of " + std::to_string(width) + "x" + std::to_string(height));
  }
  return {};
}

Result<std::vector<Event>> Stream::Impl::outcome(const Status& done) {
  std::vector<Event> events = sink.take();
  if (done.ok()) return events;
  broken = done.error();
  return *broken;
}

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Result<Stream> Stream::create(const Analyzer& analyzer, const StreamOptions& options) {
  const pipeline::RunContext context = analyzer.impl_->context();
  auto impl = std::make_unique<Impl>(analyzer, options.positions);
  MIEN_ASSIGN(auto detector, media::make_detector(context.options.detector));
  MIEN_ASSIGN(impl->stages, pipeline::Stages::create(context, std::move(detector), false,
                                                     impl->sink, impl->clocks));
  return Stream(std::move(impl));
}

Result<std::vector<Event>> Stream::push(const FrameView& frame) {
  Impl& my = *impl_;
  if (my.broken) return *my.broken;
  MIEN_TRY(my.check(frame));
  auto taken = std::make_shared<media::Frame>();
  {
    const pipeline::Stopwatch watch(my.clocks.decode);
    MIEN_ASSIGN(taken->rgb, media::to_rgb({frame.data, frame.width, frame.height, frame.stride,
                                           layout_of(frame.format)}));
  }
  taken->time_s = frame.time_s;
  taken->index = my.frames++;
  my.last_s = frame.time_s;
  my.width = frame.width;
  my.height = frame.height;
  return my.outcome(my.stages->push(std::move(taken)));
}

Result<std::vector<Event>> Stream::finish() {
  Impl& my = *impl_;
  if (my.broken) return *my.broken;
  if (my.finished) return std::vector<Event>{};
  my.finished = true;
  return my.outcome(my.stages->finish());
}

}  // namespace mien
