#include "pipeline/run.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>

#include "media/video_reader.h"
#include "pipeline/read_ahead.h"

namespace mien::pipeline {
namespace {

// Frames are kept until their faces are sure and the windows around them recognised: half a window
// (0.27 s), half a stride, the time between two searches, and a little for the sampler.
constexpr double kSettleS = 0.6;
// ... but never more bytes than this: 4K frames settle earlier.
constexpr std::size_t kMaxKeptBytes = std::size_t{128} << 20;
constexpr std::size_t kMinKept = 6;

// Haar cascades need 20 ms a frame and more, the small ONNX networks about 5.
constexpr double kHaarIntervalS = 0.1;
constexpr double kNetIntervalS = 1.0 / 15;

class Run {
 public:
  Run(RowSink& sink, ExpressionStage& expressions) : sink_(sink), expressions_(expressions) {}

  Status push(const SearchedFrame& searched) {
    const FramePtr& frame = searched.frame;
    if (frame == nullptr) return take(searched.rows);
    kept_.push_back(frame);
    kept_bytes_ += frame->rgb.rgb.size();
    ++summary_.frames;
    if (summary_.frames == 1) first_s_ = frame->time_s;
    last_s_ = frame->time_s;
    MIEN_TRY(take(searched.rows));
    while (kept_.size() > kMinKept &&
           (kept_.front()->time_s < frame->time_s - kSettleS || kept_bytes_ > kMaxKeptBytes)) {
      MIEN_TRY(settle_oldest());
    }
    return {};
  }

  Status finish() {
    for (const int id : expressions_.open_tracks()) MIEN_TRY(end_track(id));
    while (!kept_.empty()) MIEN_TRY(settle_oldest());
    MIEN_TRY(give_faces(summary_.frames));
    return {};
  }

  AnalysisSummary summary() {
    for (const auto& [id, track] : tracks_) summary_.tracks.push_back(track);
    const auto n = static_cast<double>(summary_.frames);
    if (n > 1) {
      summary_.duration_s = (last_s_ - first_s_) * n / (n - 1);
    } else if (summary_.fps > 0) {
      summary_.duration_s = n / summary_.fps;
    }
    return std::move(summary_);
  }

 private:
  FramePtr kept_frame(std::int64_t index) const {
    if (kept_.empty() || index < kept_.front()->index || index > kept_.back()->index) return {};
    const auto at = static_cast<std::size_t>(index - kept_.front()->index);
    return at < kept_.size() && kept_[at]->index == index ? kept_[at] : FramePtr();
  }

  TrackSummary& summary_of(int id) {
    TrackSummary& track = tracks_[id];
    track.id = id;
    return track;
  }

  Status take(const FaceRows& rows) {
    for (const media::FaceRow& row : rows.rows) {
      waiting_faces_.push_back(row);
      MIEN_ASSIGN(const auto windows, expressions_.push(row, kept_frame(row.frame)));
      MIEN_TRY(give_windows(windows));
    }
    for (const int id : rows.ended) MIEN_TRY(end_track(id));
    return {};
  }

  Status end_track(int id) {
    MIEN_ASSIGN(const auto windows, expressions_.end(id));
    return give_windows(windows);
  }

  Status give_windows(const std::vector<WindowRow>& windows) {
    for (const WindowRow& row : windows) {
      ++summary_.windows;
      ++summary_of(row.window.track).windows;
      MIEN_TRY(sink_.window(row));
    }
    return {};
  }

  // Hands out the rows of all frames up to `frame`.
  Status give_faces(std::int64_t frame) {
    const auto ready =
        std::stable_partition(waiting_faces_.begin(), waiting_faces_.end(),
                              [&](const media::FaceRow& row) { return row.frame <= frame; });
    std::sort(waiting_faces_.begin(), ready, [](const auto& a, const auto& b) {
      return std::tie(a.frame, a.id) < std::tie(b.frame, b.id);
    });
    for (auto row = waiting_faces_.begin(); row != ready; ++row) {
      TrackSummary& track = summary_of(row->id);
      if (track.frames++ == 0) track.first_s = row->time_s;
      track.last_s = std::max(track.last_s, row->time_s);
      ++summary_.faces;
      if (row->frame > last_face_frame_) ++summary_.face_frames;
      last_face_frame_ = std::max(last_face_frame_, row->frame);
      MIEN_TRY(sink_.face({row->frame, row->time_s, row->id, row->box.x, row->box.y, row->box.w,
                           row->box.h, row->box.score}));
    }
    waiting_faces_.erase(waiting_faces_.begin(), ready);
    return {};
  }

  Status settle_oldest() {
    const FramePtr frame = std::move(kept_.front());
    kept_.pop_front();
    kept_bytes_ -= frame->rgb.rgb.size();
    MIEN_TRY(give_faces(frame->index));
    return sink_.settled(frame);
  }

 public:
  AnalysisSummary summary_;

 private:
  RowSink& sink_;
  ExpressionStage& expressions_;
  std::deque<FramePtr> kept_;
  std::size_t kept_bytes_ = 0;
  std::vector<media::FaceRow> waiting_faces_;
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

bool stop_asked(const AnalyzerCallbacks& callbacks) {
  return callbacks.cancelled && callbacks.cancelled();
}

// Reads to the end and finishes the run.
Status read_all(ReadAhead& reader, const AnalyzerCallbacks& callbacks, double duration_s,
                Run& run) {
  for (;;) {
    if (stop_asked(callbacks)) return make_error(ErrorCode::kCancelled, "stopped");
    MIEN_ASSIGN(const std::optional<SearchedFrame> searched, reader.next());
    if (!searched) return run.finish();
    MIEN_TRY(run.push(*searched));
    if (searched->frame != nullptr && callbacks.on_progress) {
      callbacks.on_progress({run.summary_.frames, searched->frame->time_s, duration_s});
    }
  }
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
  MIEN_ASSIGN(const auto detector, media::make_detector(context.options.detector));
  MIEN_ASSIGN(auto session, context.recognizer.session());
  MIEN_ASSIGN(auto points, context.locator.session());
  MIEN_TRY(sink.opened(info));

  const BoxShape shape = box_shape(detector->name());
  const double interval = detector->name() == "haar" ? kHaarIntervalS : kNetIntervalS;
  FaceAligner aligner(PointFinder(std::move(points), context.locator.input_size(), shape),
                      context.recognizer.face_template(), context.recognizer.input_size(), shape,
                      clocks.landmarks);
  const bool still = info.container == "images" && info.declared_frames == 1;
  FaceStage faces(*detector, {.interval_s = interval, .still = still}, clocks.detect);
  ExpressionStage expressions(context.recognizer, std::move(session), aligner,
                              {.window = context.window,
                               .stride = context.options.stride,
                               .longest_gap_s = 1.6 * interval,
                               .budget = context.options.budget,
                               .mask = context.options.mask},
                              clocks.recognise);
  Run run(sink, expressions);
  run.summary_.input = input;
  run.summary_.container = info.container;
  run.summary_.codec = info.codec;
  run.summary_.detector = detector->name();
  run.summary_.width = info.width;
  run.summary_.height = info.height;
  run.summary_.fps = info.fps;
  {
    ReadAhead reader(std::move(source), faces, clocks.decode);
    MIEN_TRY(read_all(reader, callbacks, info.duration_s, run));
  }
  AnalysisSummary summary = run.summary();
  summary.note = nothing_found(summary);
  summary.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace mien::pipeline
