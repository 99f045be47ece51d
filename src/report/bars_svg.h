// Recall, precision and F1 of every class as bars.
#pragma once

#include <string>
#include <vector>

#include "report/metrics.h"

namespace mien::report {

struct BarsSvgOptions {
  std::string id{};  // see SvgDocument
  std::string title = "Figures by class";
  std::string items = "clips";  // what was counted, in the plural
};

// One group of three bars per class on an axis of 0 to 100 %, with the figures at their ends and
// the number of items under the class's name. A class without items has no recall, one that was
// never answered no precision: "none" stands there instead of a bar. `classes`: any bytes.
std::string bars_svg(const std::vector<ClassMetrics>& figures,
                     const std::vector<std::string>& classes, const BarsSvgOptions& options = {});

}  // namespace mien::report
