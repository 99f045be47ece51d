// Repeated measurements as dots, row by row, with their means.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace mien::report {

struct DotsRow {
  std::string name{};
  std::vector<double> values{};     // those that are not finite are left out
  std::vector<std::string> tips{};  // shown on hovering; as long as `values`, or empty
};

// Rows under one heading.
struct DotsGroup {
  std::string title{};  // may be empty
  std::vector<DotsRow> rows{};
};

struct DotsSvgOptions {
  std::string id{};  // see SvgDocument
  std::string title{};
  std::string x_title{};
  int decimals = 1;  // of the means, which stand to the right
};

// One line per row: a dot for each value, a bar at their mean, and the mean with the deviation in
// figures. All groups share the axis, which covers the finite values and need not begin at 0. A row
// without values says "none". Names: any bytes.
std::string dots_svg(std::span<const DotsGroup> groups, const DotsSvgOptions& options);

}  // namespace mien::report
