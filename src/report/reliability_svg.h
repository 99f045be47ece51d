// How sure a model was against how often it was right.
#pragma once

#include <string>

#include "report/calibration.h"

namespace mien::report {

struct ReliabilitySvgOptions {
  std::string id{};  // see SvgDocument
  std::string title = "Reliability of the confidences";
  std::string items = "clips";  // what was answered, in the plural
};

// A reliability diagram: per bin of confidence the share of right answers as a bar, its distance to
// the diagonal (where a perfectly calibrated model would be) shaded red; beneath, how many items
// each bin holds; the expected calibration error in words.
std::string reliability_svg(const Calibration& calibration,
                            const ReliabilitySvgOptions& options = {});

}  // namespace mien::report
