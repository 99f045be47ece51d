// result.json: everything that the other files say, plus how it came about.
#pragma once

#include <string>
#include <vector>

#include "mien/analyzer.hpp"
#include "pipeline/output_folder.h"
#include "pipeline/window_row.h"

namespace mien::pipeline {

// What result.json needs to know beside the rows.
struct ResultFacts {
  const AnalysisSummary& summary;
  const AnalyzerOptions& options;
  const Recognizer& recognizer;
  std::string model_path;
  std::string landmark_path;
  int window = 0;
};

// One row as JSON, without a line end. A window with a mask has "mask" too: its mean per slot.
std::string face_json(const FaceObservation& face);
std::string window_json(const WindowRow& row, const std::vector<std::string>& classes);

// What happened to a face as one JSON object: "event" ("found", "seen", "expression", "lost"),
// "input", then the keys of a row of faces or expressions. No line end.
std::string event_json(const Event& event, const std::string& input,
                       const std::vector<std::string>& classes);

// Writes the document. The rows come from two files of ours that hold one JSON value per line, so
// that any number of them goes through without being held. Error kIo.
Status write_result_json(core::AtomicFile& out, const ResultFacts& facts,
                         const std::string& window_rows, const std::string& face_rows);

}  // namespace mien::pipeline
