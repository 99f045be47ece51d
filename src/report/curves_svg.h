// Lines over epochs or steps.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mien::report {

struct Curve {
  std::string name{};
  std::vector<std::pair<double, double>> points{};  // (x, y) by rising x; NaN leaves a gap
};

struct CurvesSvgOptions {
  std::string id{};  // see SvgDocument
  std::string title{};
  std::string x_title = "epoch";
  std::string y_title{};
  bool from_zero = false;  // the y axis begins at 0
};

// The curves in one plot with axes, ticks and a legend; they differ in colour and in dashes. The
// axes cover the finite points; "no values" stands in a plot without any. Names: any bytes.
std::string curves_svg(std::span<const Curve> curves, const CurvesSvgOptions& options);

}  // namespace mien::report
