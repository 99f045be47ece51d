// mien eval on labelled stills: how often the expression model agrees with the label.
#pragma once

#include <string>
#include <vector>

#include "cli/eval_sheet.h"
#include "learn/data/face_geometry.h"
#include "learn/data/still_set.h"
#include "mien/recognizer.hpp"

namespace mien::cli {

struct StillEvalArguments {
  std::string model;
  learn::StillSource source;
  Precision precision = Precision::kAuto;
  int threads = 0;
  bool keep_duplicates = false;  // pictures that training has seen count too
  std::string sheet;             // PNG of pictures and answers; may be empty
  SheetOrder sheet_order = SheetOrder::kWorst;
  bool json = false;
  std::string out;     // folder for eval.json and the report's files; may be empty
  std::string repeat;  // the command line, for the report
};

// What an evaluation shows the model of a still: by its points on the model's face template, where
// there are both and the picture is not framed already, else as the picture is.
learn::CropFrame evaluated_frame(const learn::Still& still,
                                 const std::vector<float>& face_template);

// Runs the evaluation and returns what to print on stdout. Errors: those of Recognizer::load,
// read_stills, write_sheet and write_report.
Result<std::string> evaluate_stills(const StillEvalArguments& arguments);

}  // namespace mien::cli
