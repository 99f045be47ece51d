#include "pipeline/stages.h"

#include <utility>

namespace mien::pipeline {
namespace {

// Haar cascades need 15 ms of a CPU and more for a frame, the small ONNX networks about 5. Four
// samples are the default stride, so that a window's last sample is known one frame later.
constexpr double kHaarIntervalS = 4 / kSampleRateHz;
constexpr double kNetIntervalS = 2 / kSampleRateHz;

double search_interval_s(const media::FaceDetector& detector) {
  return detector.name() == "haar" ? kHaarIntervalS : kNetIntervalS;
}

FaceStageOptions face_options(const media::FaceDetector& detector, bool still) {
  const double interval_s = search_interval_s(detector);
  // Whole multiples, so that none is in vain.
  const double whole_s = detector.name() == "haar" ? 4 * interval_s : 5 * interval_s;
  return {.interval_s = interval_s, .whole_s = whole_s, .still = still};
}

}  // namespace

Result<std::unique_ptr<Stages>> Stages::create(const RunContext& context,
                                               std::unique_ptr<media::FaceDetector> detector,
                                               bool still, RowSink& sink, Clocks& clocks) {
  MIEN_ASSIGN(auto session, context.recognizer.session());
  MIEN_ASSIGN(auto embedder, context.recognizer.session());
  MIEN_ASSIGN(auto points, context.locator.session());
  return std::unique_ptr<Stages>(new Stages(context, std::move(detector), std::move(session),
                                            std::move(embedder), std::move(points), still, sink,
                                            clocks));
}

Stages::Stages(const RunContext& context, std::unique_ptr<media::FaceDetector> detector,
               Recognizer::Session session, Recognizer::Session embedder,
               LandmarkLocator::Session points, bool still, RowSink& sink, Clocks& clocks)
    : detector_(std::move(detector)),
      aligner_(PointFinder(std::move(points), context.locator.input_size(),
                           box_shape(detector_->name())),
               context.recognizer.face_template(), context.recognizer.input_size(),
               box_shape(detector_->name()), clocks),
      faces_(*detector_, face_options(*detector_, still), clocks.detect),
      crops_(aligner_, 1.6 * search_interval_s(*detector_)),
      embeds_(context.recognizer, std::move(embedder), context.options.stride, clocks.recognise),
      expressions_(context.recognizer, std::move(session),
                   {.window = context.window,
                    .stride = context.options.stride,
                    .budget = context.options.budget,
                    .mask = context.options.mask},
                   clocks.recognise),
      flow_(sink, expressions_) {}

Result<CroppedFrame> Stages::crop(const SearchedFrame& searched) {
  MIEN_ASSIGN(CroppedFrame cropped, crops_.push(searched));
  MIEN_TRY(embeds_.push(cropped));
  return cropped;
}

Status Stages::push(const FramePtr& frame) {
  SearchedFrame searched;
  searched.frame = frame;
  MIEN_ASSIGN(searched.rows, faces_.push(frame));
  MIEN_ASSIGN(CroppedFrame cropped, crop(searched));
  return flow_.push(std::move(cropped));
}

Status Stages::finish() {
  SearchedFrame end;
  MIEN_ASSIGN(end.rows, faces_.finish());
  MIEN_ASSIGN(CroppedFrame cropped, crop(end));
  MIEN_TRY(flow_.push(std::move(cropped)));
  return flow_.finish();
}

}  // namespace mien::pipeline
