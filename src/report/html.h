// The report of an evaluation as one page for people.
#pragma once

#include <string>

#include "mien/result.hpp"
#include "report/eval_report.h"

namespace mien::report {

// One HTML file that needs no network: style, drawings and pictures are inside, no scripts. What it
// shows: what was tested and how; WAR, UAR and macro F1 with their intervals; the folds; the
// confusion matrix; figures by class; how far the confidences can be trusted; whether a soft mask
// found the moment; training curves; the surest mistakes with their frames; settings; the command
// to repeat it. Parts without data are
// left out. Every text is escaped, drawings and pictures have text alternatives. Error kBadFormat
// (context: the clip) when a mistake's strip is neither empty, PNG nor JPEG.
Result<std::string> report_html(const EvalReport& report);

// Writes report.html, report.json, report.csv (figures by class) and scores.csv (every clip) into
// `folder`, which is made if need be. Each file is whole or as it was before. Errors: of
// report_html; kIo.
Status write_report(const std::string& folder, const EvalReport& report);

}  // namespace mien::report
