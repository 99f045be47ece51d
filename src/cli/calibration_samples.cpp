#include "cli/calibration_samples.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "cli/clip_answers.h"
#include "cli/clip_views.h"
#include "cli/eval_clips.h"
#include "cli/eval_stills.h"
#include "core/rng.h"
#include "engine/load_recognizer.h"
#include "learn/data/clip_faces.h"
#include "learn/data/eval_set.h"
#include "learn/data/ordered_workers.h"

namespace mien::cli {
namespace {

constexpr std::uint64_t kOrderSeed = 8;
constexpr int kDecoders = 2;
constexpr int kClipsAhead = 4;

// A random order of `count` things, the same in every run.
std::vector<std::size_t> drawn_order(std::size_t count) {
  core::Rng rng(kOrderSeed);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    order[i] = i;
    std::swap(order[i], order[rng.below(i + 1)]);
  }
  return order;
}

std::size_t limited(std::size_t count, std::size_t limit) {
  return limit == 0 ? count : std::min(count, limit);
}

Status add_stills(const Recognizer& model, const CalibrationSource& source,
                  CalibrationSamples& samples) {
  MIEN_ASSIGN(const learn::StillSet set, learn::read_stills(source.stills, model.classes()));
  std::set<std::string> duplicates;
  if (const std::string list = learn::duplicates_list_of(source.stills); !list.empty()) {
    MIEN_ASSIGN(duplicates, learn::read_name_list(list));
  }
  const std::size_t most = limited(set.stills.size(), source.limit);
  for (const std::size_t index : drawn_order(set.stills.size())) {
    if (samples.truths.size() == most) break;
    const learn::Still& still = set.stills[index];
    if (still.majority < 0 || duplicates.contains(still.name)) continue;
    const learn::CropFrame frame = evaluated_frame(still, model.face_template());
    samples.pixels.push_back(learn::crop_rgb(set, still, frame, model.input_size()));
    samples.truths.push_back(static_cast<std::size_t>(still.majority));
  }
  return {};
}

Status add_clips(const Recognizer& model, const CalibrationSource& source,
                 CalibrationSamples& samples) {
  learn::ClipSource clips;
  clips.path = source.stills.path;
  clips.format = source.stills.format == "clips" ? "manifest" : source.stills.format;
  clips.split = source.stills.split;
  clips.fold = source.fold;
  MIEN_ASSIGN(learn::ClipList list, learn::read_clip_list(clips));
  MIEN_ASSIGN(const auto class_of, match_classes(list, model.classes()));
  learn::check_clips(list);
  MIEN_ASSIGN(const auto faces,
              learn::make_face_finder(source.faces, list.format, source.detector));
  const ViewOptions options{
      .segments = 1, .rate = source.rate, .length = samples.frames, .side = model.input_size()};
  const std::vector<std::size_t> order = drawn_order(list.clips.size());
  const std::size_t most = limited(order.size(), source.limit);
  learn::OrderedWorkers<ClipViews> reader(
      [&](std::int64_t i) {
        return read_views(list.clips[order[static_cast<std::size_t>(i)]], faces.get(), options);
      },
      0, static_cast<std::int64_t>(order.size()), kDecoders, kClipsAhead);
  for (const std::size_t index : order) {
    if (samples.truths.size() == most) break;
    MIEN_ASSIGN(ClipViews views, reader.next());
    if (!views.problem.empty()) continue;
    samples.pixels.push_back(std::move(views.pixels));
    samples.truths.push_back(class_of[static_cast<std::size_t>(list.clips[index].label)]);
  }
  return {};
}

}  // namespace

Result<CalibrationSamples> read_samples(const core::ModelFile& file,
                                        const CalibrationSource& source) {
  MIEN_ASSIGN(const Recognizer model,
              engine::RecognizerLoader::load(file, {.precision = Precision::kF32, .threads = 1}));
  if (!model.reads_faces()) {
    return make_error(ErrorCode::kUnsupported, "lacks the landmark network that its prompts need",
                      file.path);
  }
  CalibrationSamples samples;
  samples.stills = !is_clip_format(source.stills.format);
  samples.frames = model.is_temporal() ? model.num_frames() : kImageModelFrames;
  if (samples.stills) {
    MIEN_TRY(add_stills(model, source, samples));
  } else {
    MIEN_TRY(add_clips(model, source, samples));
  }
  if (!samples.truths.empty()) return samples;
  return make_error(ErrorCode::kInvalidArgument, "has no labelled sample to calibrate on",
                    source.stills.path);
}

Result<std::vector<float>> answer_samples(const core::ModelFile& file,
                                          const CalibrationSamples& samples,
                                          const engine::EngineOptions& options, std::size_t count,
                                          const std::function<bool()>& cancelled) {
  MIEN_ASSIGN(const Recognizer model, engine::RecognizerLoader::load(file, options));
  MIEN_ASSIGN(Recognizer::Session session, model.session());
  const auto classes = static_cast<std::size_t>(model.num_classes());
  std::vector<float> logits(count * classes);
  for (std::size_t i = 0; i < count; ++i) {
    if (cancelled && cancelled()) return make_error(ErrorCode::kCancelled, "stopped");
    const std::span<float> row = std::span(logits).subspan(i * classes, classes);
    const std::vector<std::uint8_t>& pixels = samples.pixels[i];
    MIEN_TRY(samples.stills ? session.still_logits(pixels, 1, row)
                            : session.logits(pixels, 1, samples.frames, row));
  }
  return logits;
}

}  // namespace mien::cli
