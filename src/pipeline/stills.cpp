// Analyzer::predict: the faces of one picture.
#include <utility>

#include "media/face_detector.h"
#include "media/image.h"
#include "pipeline/analyzer_impl.h"
#include "pipeline/expression_stage.h"
#include "pipeline/face_aligner.h"
#include "report/metrics.h"

namespace mien {
namespace {

Result<std::vector<float>> still_probabilities(const Recognizer& recognizer,
                                               Recognizer::Session& session,
                                               const media::Image& crop, double budget) {
  std::vector<float> logits(static_cast<std::size_t>(recognizer.num_classes()));
  MIEN_TRY(session.still_logits(crop.rgb, 1, logits, budget));
  return pipeline::softmax(logits);
}

}  // namespace

Result<std::vector<StillFace>> Analyzer::predict(const std::string& image) const {
  const Recognizer& recognizer = impl_->recognizer;
  MIEN_ASSIGN(const media::Image picture, media::read_image(image));
  MIEN_ASSIGN(const auto detector, media::make_detector(impl_->options.detector));
  MIEN_ASSIGN(const auto boxes, detector->detect(picture));
  MIEN_ASSIGN(auto session, recognizer.session());
  MIEN_ASSIGN(auto points, impl_->locator.session());
  const pipeline::BoxShape shape = pipeline::box_shape(detector->name());
  pipeline::Clocks unused;
  pipeline::FaceAligner aligner(
      pipeline::PointFinder(std::move(points), impl_->locator.input_size(), shape),
      recognizer.face_template(), recognizer.input_size(), shape, unused);
  std::vector<StillFace> faces;
  for (const media::FaceBox& box : boxes) {
    if (box.score < detector->track_threshold()) continue;
    MIEN_ASSIGN(const auto found, aligner.points(picture, box, std::nullopt));
    const auto crop = aligner.crop(picture, box, found);
    if (!crop.ok() && crop.error().code == ErrorCode::kInvalidArgument) continue;
    if (!crop.ok()) return crop.error().within(image);
    auto probabilities =
        still_probabilities(recognizer, session, crop->image, impl_->options.budget);
    if (!probabilities.ok()) return probabilities.error().within(image);
    StillFace face{box.x, box.y, box.w, box.h, box.score, 0, std::move(*probabilities)};
    face.label = static_cast<int>(report::argmax(face.probabilities));
    faces.push_back(std::move(face));
  }
  return faces;
}

}  // namespace mien
