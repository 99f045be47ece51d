#include "pipeline/run.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "media/video_reader.h"
#include "pipeline/event_maker.h"
#include "pipeline/read_ahead.h"

namespace mien::pipeline {
namespace {

// Counts what goes by.
class CountingSink : public RowSink {
 public:
  CountingSink(RowSink& next, const AnalyzerCallbacks& callbacks)
      : next_(next), events_(false, callbacks.on_event) {}

  AnalysisSummary summary;  // the facts of the input, and how many frames so far

  void count(const media::Frame& frame) {
    if (summary.frames++ == 0) first_s_ = frame.time_s;
    last_s_ = frame.time_s;
  }

  Status found(const FaceObservation& face) override {
    events_.found(face);
    return next_.found(face);
  }

  Status face(const FaceObservation& face) override {
    TrackSummary& track = summary_of(face.track);
    if (track.frames++ == 0) track.first_s = face.time_s;
    track.last_s = std::max(track.last_s, face.time_s);
    ++summary.faces;
    if (face.frame > last_face_frame_) ++summary.face_frames;
    last_face_frame_ = std::max(last_face_frame_, face.frame);
    return next_.face(face);
  }

  Status window(const WindowRow& row) override {
    ++summary.windows;
    ++summary_of(row.window.track).windows;
    events_.window(row.window);
    return next_.window(row);
  }

  Status lost(int track) override {
    events_.lost(track);
    return next_.lost(track);
  }

  Status settled(const FramePtr& frame) override { return next_.settled(frame); }

  AnalysisSummary take() {
    for (const auto& [id, track] : tracks_) summary.tracks.push_back(track);
    const auto n = static_cast<double>(summary.frames);
    if (n > 1) {
      summary.duration_s = (last_s_ - first_s_) * n / (n - 1);
    } else if (summary.fps > 0) {
      summary.duration_s = n / summary.fps;
    }
    return std::move(summary);
  }

 private:
  TrackSummary& summary_of(int id) {
    TrackSummary& track = tracks_[id];
    track.id = id;
    return track;
  }

  RowSink& next_;
  EventMaker events_;
  std::map<int, TrackSummary> tracks_;
  double first_s_ = 0;
  double last_s_ = 0;
  std::int64_t last_face_frame_ = -1;
};

std::string nothing_found(const AnalysisSummary& summary) {
  if (summary.faces > 0) return {};
  const std::string where = summary.container == "images" ? " picture" : " frame";
  return "no face was found in " + std::to_string(summary.frames) + where +
         (summary.frames == 1 ? "" : "s") + " (detector: " + summary.detector + ")";
}

// Reads to the end.
Status read_all(Ahead<CroppedFrame>& frames, const AnalyzerCallbacks& callbacks,
                const media::VideoInfo& info, RowFlow& flow, CountingSink& counts) {
  for (;;) {
    // A live source sees to that itself: it is over when somebody stops it.
    if (!info.live && callbacks.cancelled && callbacks.cancelled()) {
      return make_error(ErrorCode::kCancelled, "stopped");
    }
    MIEN_ASSIGN(std::optional<CroppedFrame> cropped, frames.next());
    if (!cropped) return flow.finish();
    const FramePtr frame = cropped->frame;
    if (frame != nullptr) counts.count(*frame);
    MIEN_TRY(flow.push(std::move(*cropped)));
    if (frame != nullptr && callbacks.on_progress) {
      callbacks.on_progress({counts.summary.frames, frame->time_s, info.duration_s});
    }
  }
}

void describe(const std::string& input, const media::VideoInfo& info, const std::string& detector,
              AnalysisSummary& summary) {
  summary.input = input;
  summary.container = info.container;
  summary.codec = info.codec;
  summary.detector = detector;
  summary.width = info.width;
  summary.height = info.height;
  summary.fps = info.fps;
}

}  // namespace

Result<AnalysisSummary> run_input(const RunContext& context, const std::string& input,
                                  const AnalyzerCallbacks& callbacks, RowSink& sink,
                                  Clocks& clocks) {
  const auto begin = std::chrono::steady_clock::now();
  media::SourceOptions source_options;
  source_options.image_fps = context.options.image_fps;
  source_options.cancelled = callbacks.cancelled;
  MIEN_ASSIGN(auto source, media::open_source(input, source_options));
  const media::VideoInfo info = source->info();
  MIEN_ASSIGN(auto detector, media::make_detector(context.options.detector));
  CountingSink counts(sink, callbacks);
  describe(input, info, detector->name(), counts.summary);
  const bool still = info.container == "images" && info.declared_frames == 1;
  MIEN_ASSIGN(const auto stages,
              Stages::create(context, std::move(detector), still, counts, clocks));
  MIEN_TRY(sink.opened(info));
  {
    ReadAhead reader(std::move(source), stages->faces(), clocks.decode);
    const auto crop_next = [&]() -> Result<std::optional<CroppedFrame>> {
      MIEN_ASSIGN(const std::optional<SearchedFrame> searched, reader.next());
      if (!searched) return std::optional<CroppedFrame>();
      MIEN_ASSIGN(CroppedFrame cropped, stages->crop(*searched));
      return std::optional<CroppedFrame>(std::move(cropped));
    };
    Ahead<CroppedFrame> frames(crop_next, frames_ahead(info));
    MIEN_TRY(read_all(frames, callbacks, info, stages->flow(), counts));
    counts.summary.dropped = reader.dropped();
  }
  AnalysisSummary summary = counts.take();
  summary.note = nothing_found(summary);
  summary.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace mien::pipeline
