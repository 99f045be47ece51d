// Writes what `mien analyze` leaves behind, as the rows come.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pipeline/annotator.h"
#include "pipeline/output_folder.h"
#include "pipeline/result_json.h"
#include "pipeline/row_flow.h"
#include "pipeline/stopwatch.h"
#include "report/time_strip.h"
#include "report/timeline.h"

namespace mien::pipeline {

// A RowSink over the files of one folder, which also passes every row on to the caller's callbacks.
// Nothing stays behind unless finish() succeeds.
class ResultFiles : public RowSink {
 public:
  // All must outlive this object.
  ResultFiles(const OutputOptions& output, const std::vector<std::string>& classes,
              const AnalyzerCallbacks& callbacks, Clocks& clocks);

  Status opened(const media::VideoInfo& info) override;
  Status face(const FaceObservation& face) override;
  Status window(const WindowRow& row) override;
  Status settled(const FramePtr& frame) override;

  // Ends all files and gives them their names.
  Status finish(const ResultFacts& facts);

 private:
  struct Files {  // destroyed before the folder, so that an emptied folder can go too
    core::AtomicFile expressions;
    core::AtomicFile faces;
    core::AtomicFile result;
    core::AtomicFile timeline;
    core::AtomicFile window_rows;  // never committed: the rows of result.json
    core::AtomicFile face_rows;
  };
  static Result<Files> create_files(const OutputFolder& folder);
  Status write_timeline(const ResultFacts& facts);

  const OutputOptions& output_;
  const std::vector<std::string>& classes_;
  const AnalyzerCallbacks& callbacks_;
  Clocks& clocks_;
  report::Timeline timeline_;
  report::TimeStrip strip_;  // the mask's share
  std::optional<OutputFolder> folder_;
  std::optional<Files> files_;
  std::unique_ptr<Annotator> annotator_;
};

}  // namespace mien::pipeline
