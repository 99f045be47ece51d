#include "cli/eval_landmarks.h"

#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "core/labels.h"
#include "learn/data/eval_set.h"
#include "learn/data/face_geometry.h"
#include "report/json_writer.h"

namespace mien::cli {
namespace {

constexpr float kTrustedSpread = 0.04F;
constexpr std::size_t kPoints = 68;

struct LandmarkScores {
  std::size_t count = 0;
  double error = 0.0;            // mean distance / distance of the outer eye corners
  double error_by_pupils = 0.0;  // the same / distance of the eye centres
};

// Mean distance, in pixels of the picture, between found points (fractions of the crop) and given
// ones.
double mean_distance(const learn::Still& still, const learn::CropFrame& frame,
                     const std::vector<float>& found) {
  double sum = 0.0;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const auto truth = frame.to_crop(static_cast<double>(still.points[2 * i]),
                                     static_cast<double>(still.points[2 * i + 1]));
    sum += std::hypot(static_cast<double>(found[2 * i]) - truth[0],
                      static_cast<double>(found[2 * i + 1]) - truth[1]);
  }
  return sum / static_cast<double>(kPoints) * frame.side;
}

// Adds one picture and returns its error.
double add_still(const learn::Still& still, double distance, LandmarkScores& scores) {
  const auto& p = still.points;
  const auto five = learn::five_points(p);
  const double error = distance / static_cast<double>(std::hypot(p[72] - p[90], p[73] - p[91]));
  scores.error += error;
  scores.error_by_pupils += distance / std::hypot(five[0] - five[2], five[1] - five[3]);
  ++scores.count;
  return error;
}

Result<LandmarkScores> score_landmarks(const StillEvalArguments& arguments) {
  MIEN_ASSIGN(const LandmarkLocator model,
              LandmarkLocator::load(arguments.model, {arguments.precision, arguments.threads}));
  MIEN_ASSIGN(LandmarkLocator::Session session, model.session());
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const learn::StillSet set, learn::read_stills(arguments.source, labels.classes));
  LandmarkScores scores;
  std::vector<float> points(2 * kPoints);
  std::vector<SheetTile> tiles;
  for (std::size_t index = 0; index < set.stills.size(); ++index) {
    const learn::Still& still = set.stills[index];
    if (still.points.empty() || still.spread > kTrustedSpread) continue;
    const learn::CropFrame frame = learn::frame_on_points(still.points);
    MIEN_TRY(session.locate(learn::crop_rgb(set, still, frame, model.input_size()), 1, points));
    const double error = add_still(still, mean_distance(still, frame, points), scores);
    if (!arguments.sheet.empty()) {
      char caption[32];
      std::snprintf(caption, sizeof(caption), "%.1f %%", 100.0 * error);
      tiles.push_back({index, frame, error, {caption}, points});
    }
  }
  if (!arguments.sheet.empty()) {
    MIEN_TRY(write_sheet(arguments.sheet, set, std::move(tiles), arguments.sheet_order));
  }
  if (scores.count == 0) {
    return make_error(ErrorCode::kNotFound, "has no picture with points", arguments.source.path);
  }
  scores.error /= static_cast<double>(scores.count);
  scores.error_by_pupils /= static_cast<double>(scores.count);
  return scores;
}

std::string landmarks_json(const LandmarkScores& scores) {
  report::JsonWriter json;
  json.begin_object();
  json.key("n").integer(static_cast<std::int64_t>(scores.count));
  json.key("interocular_error").number(scores.error, 6);
  json.key("interpupil_error").number(scores.error_by_pupils, 6);
  json.end_object();
  return json.take() + "\n";
}

std::string landmarks_text(const LandmarkScores& scores) {
  char line[200];
  std::snprintf(
      line, sizeof(line),
      "n %zu, mean error %.2f %% of the inter-ocular distance (outer eye corners), %.2f %% of the "
      "distance of the eye centres\n",
      scores.count, 100.0 * scores.error, 100.0 * scores.error_by_pupils);
  return line;
}

}  // namespace

Result<std::string> evaluate_landmarks(const StillEvalArguments& arguments) {
  MIEN_ASSIGN(const LandmarkScores scores, score_landmarks(arguments));
  return arguments.json ? landmarks_json(scores) : landmarks_text(scores);
}

}  // namespace mien::cli
