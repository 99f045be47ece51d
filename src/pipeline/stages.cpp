#include "pipeline/stages.h"

#include <utility>

namespace mien::pipeline {
namespace {

// Haar cascades need 20 ms a frame and more, the small ONNX networks about 5.
constexpr double kHaarIntervalS = 0.1;
constexpr double kNetIntervalS = 1.0 / 15;

double search_interval_s(const media::FaceDetector& detector) {
  return detector.name() == "haar" ? kHaarIntervalS : kNetIntervalS;
}

}  // namespace

Result<std::unique_ptr<Stages>> Stages::create(const RunContext& context,
                                               std::unique_ptr<media::FaceDetector> detector,
                                               bool still, RowSink& sink, Clocks& clocks) {
  MIEN_ASSIGN(auto session, context.recognizer.session());
  MIEN_ASSIGN(auto points, context.locator.session());
  return std::unique_ptr<Stages>(new Stages(context, std::move(detector), std::move(session),
                                            std::move(points), still, sink, clocks));
}

Stages::Stages(const RunContext& context, std::unique_ptr<media::FaceDetector> detector,
               Recognizer::Session session, LandmarkLocator::Session points, bool still,
               RowSink& sink, Clocks& clocks)
    : detector_(std::move(detector)),
      aligner_(PointFinder(std::move(points), context.locator.input_size(),
                           box_shape(detector_->name())),
               context.recognizer.face_template(), context.recognizer.input_size(),
               box_shape(detector_->name()), clocks),
      faces_(*detector_, {.interval_s = search_interval_s(*detector_), .still = still},
             clocks.detect),
      crops_(aligner_, 1.6 * search_interval_s(*detector_)),
      expressions_(context.recognizer, std::move(session),
                   {.window = context.window,
                    .stride = context.options.stride,
                    .budget = context.options.budget,
                    .mask = context.options.mask},
                   clocks.recognise),
      flow_(sink, expressions_) {}

Status Stages::push(const FramePtr& frame) {
  SearchedFrame searched;
  searched.frame = frame;
  MIEN_ASSIGN(searched.rows, faces_.push(frame));
  MIEN_ASSIGN(CroppedFrame cropped, crops_.push(searched));
  return flow_.push(std::move(cropped));
}

Status Stages::finish() {
  SearchedFrame end;
  MIEN_ASSIGN(end.rows, faces_.finish());
  MIEN_ASSIGN(CroppedFrame cropped, crops_.push(end));
  MIEN_TRY(flow_.push(std::move(cropped)));
  return flow_.finish();
}

}  // namespace mien::pipeline
