#include "pipeline/result_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "report/csv_writer.h"
#include "report/text.h"
#include "report/timeline_svg.h"

namespace mien::pipeline {
namespace {

constexpr const char* kExpressions = "expressions.csv";
constexpr const char* kFaces = "faces.csv";
constexpr const char* kResult = "result.json";
constexpr const char* kTimeline = "timeline.svg";
constexpr const char* kVideo = "annotated.mp4";

std::string expressions_header(const std::vector<std::string>& classes) {
  std::vector<std::string> columns = {"track", "start_s", "end_s",      "x",    "y",
                                      "w",     "h",       "confidence", "label"};
  columns.insert(columns.end(), classes.begin(), classes.end());
  return report::csv_header(columns);
}

std::string expressions_line(const ExpressionWindow& w, const std::vector<std::string>& classes) {
  report::CsvRow row;
  row.integer(w.track).number(w.start_s, 4).number(w.end_s, 4);
  row.number(w.x, 1).number(w.y, 1).number(w.w, 1).number(w.h, 1).number(w.confidence, 4);
  row.text(classes[static_cast<std::size_t>(w.label)]);
  for (const float p : w.probabilities) row.number(p, 5);
  return row.line();
}

std::string faces_line(const FaceObservation& f) {
  report::CsvRow row;
  row.integer(f.frame).number(f.time_s, 4).integer(f.track);
  row.number(f.x, 1).number(f.y, 1).number(f.w, 1).number(f.h, 1).number(f.score, 3);
  return row.line();
}

}  // namespace

ResultFiles::ResultFiles(const OutputOptions& output, const std::vector<std::string>& classes,
                         const AnalyzerCallbacks& callbacks, Clocks& clocks)
    : output_(output),
      classes_(classes),
      callbacks_(callbacks),
      clocks_(clocks),
      timeline_(classes) {}

Result<ResultFiles::Files> ResultFiles::create_files(const OutputFolder& folder) {
  const auto create = [&](const char* name) {
    return core::AtomicFile::create(folder.path_of(name));
  };
  MIEN_ASSIGN(auto expressions, create(kExpressions));
  MIEN_ASSIGN(auto faces, create(kFaces));
  MIEN_ASSIGN(auto result, create(kResult));
  MIEN_ASSIGN(auto timeline, create(kTimeline));
  MIEN_ASSIGN(auto window_rows, create("window-rows"));
  MIEN_ASSIGN(auto face_rows, create("face-rows"));
  return Files{std::move(expressions), std::move(faces),       std::move(result),
               std::move(timeline),    std::move(window_rows), std::move(face_rows)};
}

Status ResultFiles::opened(const media::VideoInfo& info) {
  MIEN_ASSIGN(OutputFolder folder, OutputFolder::create(output_.folder));
  folder_.emplace(std::move(folder));
  MIEN_ASSIGN(Files files, create_files(*folder_));
  files_.emplace(std::move(files));
  MIEN_TRY(files_->expressions.write(expressions_header(classes_)));
  MIEN_TRY(files_->faces.write("frame,time_s,track,x,y,w,h,score\n"));
  if (output_.video) {
    annotator_ =
        std::make_unique<Annotator>(folder_->path_of(kVideo), classes_, info.fps, clocks_.draw);
  }
  return {};
}

Status ResultFiles::face(const FaceObservation& face) {
  if (annotator_) annotator_->face(face);
  if (callbacks_.on_face) callbacks_.on_face(face);
  const Stopwatch watch(clocks_.write);
  MIEN_TRY(files_->faces.write(faces_line(face)));
  return files_->face_rows.write(face_json(face) + "\n");
}

Status ResultFiles::window(const WindowRow& row) {
  const ExpressionWindow& window = row.window;
  if (callbacks_.on_window) callbacks_.on_window(window);
  const Stopwatch watch(clocks_.write);
  timeline_.add(window.track, window.start_s, window.end_s, window.probabilities);
  for (int slot = 0; slot < row.slots; ++slot) {
    const double end_s = std::min(row.slot_start_s(slot + 1), window.end_s);
    strip_.add(window.track, row.slot_start_s(slot), end_s,
               static_cast<double>(row.slot_share(slot)));
  }
  if (annotator_) annotator_->window(row);
  MIEN_TRY(files_->expressions.write(expressions_line(window, classes_)));
  return files_->window_rows.write(window_json(row, classes_) + "\n");
}

Status ResultFiles::settled(const FramePtr& frame) {
  return annotator_ ? annotator_->frame(frame) : Status();
}

Status ResultFiles::write_timeline(const ResultFacts& facts) {
  const AnalysisSummary& summary = facts.summary;
  report::TimelineSvgOptions options;
  const std::filesystem::path input(summary.input);
  options.title = (input.has_filename() ? input : input.parent_path()).filename().string();
  if (options.title.empty()) options.title = summary.input;
  options.subtitle = "probability of each expression, stacked; model " +
                     std::filesystem::path(facts.model_path).stem().string();
  if (facts.options.mask) {
    options.strip = &strip_;
    options.strip_name = "mask";
    options.strip_low = 0.5;
    options.strip_top = 1.5;
    options.strip_line = 1;
    options.subtitle += "; strip: how much each moment counted (soft mask, line: as the others)";
  }
  options.end_s = summary.duration_s;
  if (summary.faces > 0) options.empty_note = "no face was seen for long enough";
  return files_->timeline.write(report::timeline_svg(timeline_, options));
}

Status ResultFiles::finish(const ResultFacts& facts) {
  MIEN_TRY(write_timeline(facts));
  // A video without a frame cannot be; everything else is there even when nothing was found.
  const bool video = annotator_ != nullptr && facts.summary.frames > 0;
  if (video) MIEN_TRY(annotator_->finish());
  annotator_.reset();
  const Status done = [&]() -> Status {
    MIEN_TRY(write_result_json(files_->result, facts, files_->window_rows.temporary_path(),
                               files_->face_rows.temporary_path()));
    return folder_->commit({{kExpressions, &files_->expressions},
                            {kFaces, &files_->faces},
                            {kTimeline, &files_->timeline},
                            {kResult, &files_->result}});
  }();
  if (!done.ok() && video) {
    std::error_code ignored;
    std::filesystem::remove(folder_->path_of(kVideo), ignored);
  }
  return done;
}

}  // namespace mien::pipeline
