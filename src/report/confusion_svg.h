// A confusion matrix as a heat map.
#pragma once

#include <string>
#include <vector>

#include "report/metrics.h"

namespace mien::report {

struct ConfusionSvgOptions {
  std::string id{};  // see SvgDocument
  std::string title = "Confusion matrix";
  std::string items = "clips";  // what was counted, in the plural
};

// Rows are the true classes, columns the answers. A cell is shaded by its share of the row and
// holds, where there is room, the count and that share in percent, in black or white (whichever has
// the greater contrast); every cell says the same on hovering. How many there are of each class
// stands at the right. `classes` names the matrix's classes; any bytes.
std::string confusion_svg(const ConfusionMatrix& matrix, const std::vector<std::string>& classes,
                          const ConfusionSvgOptions& options = {});

}  // namespace mien::report
