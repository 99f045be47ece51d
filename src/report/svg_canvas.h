// What the drawings of this folder are made of: shapes and text of an SVG, escaped and with numbers
// in one spelling, and plots with axes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::report {

// A coordinate as it stands in a drawing: at most one digit behind the point. NaN and infinity have
// none and give "0".
std::string px(double value);

// Width of a text by rule of thumb: an SVG has no fonts of its own. Counts characters, not bytes.
double text_width(std::string_view text, double size);

// Valid UTF-8 of at most `most` bytes, with "..." behind it when something was cut off.
std::string shorten(std::string_view text, std::size_t most);

// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], at most `most` + 1 of
// them and at least one; {low} when the range is empty or not finite.
std::vector<double> nice_ticks(double low, double high, int most);

// A tick's value with as many digits as its distance to the next needs; "2e-5" for very small and
// very large ones.
std::string tick_text(double value, double step);

struct TextStyle {
  double size = 12;
  std::string_view color = "#222";
  std::string_view anchor = "start";  // or "middle", "end"
  std::string_view extra{};           // further attributes, each with a blank before it; trusted
};

// Where a plot lies on the canvas and which values its sides stand for.
struct PlotArea {
  double left = 0;
  double top = 0;
  double width = 1;
  double height = 1;
  double x_low = 0;
  double x_high = 1;  // > x_low
  double y_low = 0;
  double y_high = 1;  // > y_low

  double x(double value) const { return left + width * (value - x_low) / (x_high - x_low); }
  double y(double value) const { return top + height * (y_high - value) / (y_high - y_low); }
  double bottom() const { return top + height; }
  double right() const { return left + width; }
};

struct AxisTitles {
  std::string x{};
  std::string y{};
  int x_ticks = 10;  // at most about so many
  int y_ticks = 6;
};

struct SvgDocument {
  double width = 0;
  double height = 0;
  std::string title{};        // read out by screen readers
  std::string description{};  // the same in a sentence or two; may be empty
  // Distinguishes drawings within one HTML page; letters, digits and '-'. With an id the drawing is
  // meant for such a page (no XML declaration, labelled for screen readers); without, it is a file.
  std::string id{};
};

// Collects shapes in drawing order. Texts may be any bytes; colours and `extra` are trusted.
class SvgCanvas {
 public:
  SvgCanvas& text(double x, double y, const TextStyle& style, std::string_view words);

  // `tip` is shown by browsers on hovering; none when empty. `extra` as in TextStyle.
  SvgCanvas& rectangle(double x, double y, double width, double height, std::string_view fill,
                       std::string_view tip = {}, std::string_view extra = {});

  SvgCanvas& line(double x1, double y1, double x2, double y2, std::string_view extra);

  // A broken line through the points; fewer than two draw nothing.
  SvgCanvas& polyline(const std::vector<std::pair<double, double>>& points, std::string_view extra);

  SvgCanvas& dot(double x, double y, double radius, std::string_view fill,
                 std::string_view tip = {});

  // Anything else, as SVG.
  SvgCanvas& raw(std::string_view svg);

  // Grid lines, ticks with their numbers, both axes and their titles. Needs about 46 px beneath the
  // area and 60 px to its left.
  SvgCanvas& axes(const PlotArea& area, const AxisTitles& titles);

  // The drawing on white. No scripts, no external references.
  std::string document(const SvgDocument& about) const;

 private:
  std::string out_;
};

}  // namespace mien::report
