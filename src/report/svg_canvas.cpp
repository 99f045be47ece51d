#include "report/svg_canvas.h"

#include <algorithm>
#include <cmath>

#include "report/text.h"

namespace mien::report {
namespace {

constexpr std::string_view kGridLine = "stroke=\"#000\" stroke-opacity=\"0.13\" stroke-width=\"1\"";
constexpr std::string_view kAxisLine = "stroke=\"#444\" stroke-width=\"1\"";

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The step of nice_ticks: the smallest of 1, 2, 5 times a power of ten that gives `most` at most.
double nice_step(double range, int most) {
  const double raw = range / std::max(most, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1.0 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

// "2e-5"
std::string scientific(double value) {
  int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  std::string mantissa = compact(value / std::pow(10.0, exponent), 2);
  if (mantissa == "10" || mantissa == "-10") {
    mantissa.pop_back();
    ++exponent;
  }
  return mantissa + "e" + std::to_string(exponent);
}

double step_of(const std::vector<double>& ticks) {
  return ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0;
}

}  // namespace

std::string px(double value) {
  return std::isfinite(value) ? compact(value, 1) : "0";
}

double text_width(std::string_view text, double size) {
  const auto characters =
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); });
  return 0.58 * size * static_cast<double>(characters);
}

std::string shorten(std::string_view text, std::size_t most) {
  std::string out = to_valid_utf8(text);
  if (out.size() <= most) return out;
  std::size_t cut = most;
  while (cut > 0 && continues_character(out[cut])) --cut;
  return out.substr(0, cut) + "...";
}

std::vector<double> nice_ticks(double low, double high, int most) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(high > low)) return {low};
  const double step = nice_step(high - low, most);
  const double first = std::ceil(low / step - 1e-6);
  const double last = std::floor(high / step + 1e-6);
  std::vector<double> ticks;
  // Counted by integers: a step far below the range's end would not move a double.
  for (int i = 0; i <= most && first + i <= last; ++i) ticks.push_back((first + i) * step);
  if (ticks.empty()) ticks.push_back(low);
  return ticks;
}

std::string tick_text(double value, double step) {
  const double size = std::abs(value);
  if (size < 1e-9 * std::abs(step) || size == 0.0) return "0";
  if (std::abs(step) < 1e-3 || size >= 1e6) return scientific(value);
  const int decimals = static_cast<int>(std::ceil(-std::log10(std::abs(step)) - 1e-9));
  return fixed(value, std::clamp(decimals, 0, 6));
}

SvgCanvas& SvgCanvas::text(double x, double y, const TextStyle& style, std::string_view words) {
  out_ += "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" font-size=\"" + px(style.size) +
          "\" fill=\"" + std::string(style.color) + "\" text-anchor=\"" +
          std::string(style.anchor) + "\"" + std::string(style.extra) + ">" + escape_xml(words) +
          "</text>\n";
  return *this;
}

SvgCanvas& SvgCanvas::rectangle(double x, double y, double width, double height,
                                std::string_view fill, std::string_view tip,
                                std::string_view extra) {
  out_ += "<rect x=\"" + px(x) + "\" y=\"" + px(y) + "\" width=\"" + px(std::max(width, 0.0)) +
          "\" height=\"" + px(std::max(height, 0.0)) + "\" fill=\"" + std::string(fill) + "\"" +
          std::string(extra);
  out_ += tip.empty() ? "/>\n" : "><title>" + escape_xml(tip) + "</title></rect>\n";
  return *this;
}

SvgCanvas& SvgCanvas::line(double x1, double y1, double x2, double y2, std::string_view extra) {
  out_ += "<line x1=\"" + px(x1) + "\" y1=\"" + px(y1) + "\" x2=\"" + px(x2) + "\" y2=\"" + px(y2) +
          "\" " + std::string(extra) + "/>\n";
  return *this;
}

SvgCanvas& SvgCanvas::polyline(const std::vector<std::pair<double, double>>& points,
                               std::string_view extra) {
  if (points.size() < 2) return *this;
  out_ += "<polyline points=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    out_ += (i == 0 ? "" : " ") + px(points[i].first) + "," + px(points[i].second);
  }
  out_ += "\" fill=\"none\" " + std::string(extra) + "/>\n";
  return *this;
}

SvgCanvas& SvgCanvas::dot(double x, double y, double radius, std::string_view fill,
                          std::string_view tip) {
  out_ += "<circle cx=\"" + px(x) + "\" cy=\"" + px(y) + "\" r=\"" + px(radius) + "\" fill=\"" +
          std::string(fill) + "\"";
  out_ += tip.empty() ? "/>\n" : "><title>" + escape_xml(tip) + "</title></circle>\n";
  return *this;
}

SvgCanvas& SvgCanvas::raw(std::string_view svg) {
  out_ += svg;
  return *this;
}

SvgCanvas& SvgCanvas::axes(const PlotArea& area, const AxisTitles& titles) {
  const auto xs = nice_ticks(area.x_low, area.x_high, titles.x_ticks);
  const auto ys = nice_ticks(area.y_low, area.y_high, titles.y_ticks);
  for (const double value : ys) {
    const double y = area.y(value);
    line(area.left, y, area.right(), y, kGridLine);
    text(area.left - 6, y + 4, {.color = "#444", .anchor = "end"}, tick_text(value, step_of(ys)));
  }
  for (const double value : xs) {
    const double x = area.x(value);
    line(x, area.bottom(), x, area.bottom() + 5, kAxisLine);
    text(x, area.bottom() + 19, {.color = "#444", .anchor = "middle"},
         tick_text(value, step_of(xs)));
  }
  line(area.left, area.bottom(), area.right(), area.bottom(), kAxisLine);
  line(area.left, area.top, area.left, area.bottom(), kAxisLine);
  text(area.left + area.width / 2, area.bottom() + 38, {.anchor = "middle"}, titles.x);
  const double x = area.left - 48;
  const double y = area.top + area.height / 2;
  text(x, y,
       {.anchor = "middle", .extra = " transform=\"rotate(-90 " + px(x) + " " + px(y) + ")\""},
       titles.y);
  return *this;
}

std::string SvgCanvas::document(const SvgDocument& about) const {
  const std::string width = px(about.width);
  const std::string height = px(about.height);
  const bool inlined = !about.id.empty();
  const auto attribute = [&](const char* name, const char* part) {
    return inlined ? " " + std::string(name) + "=\"" + escape_xml(about.id) + part + "\""
                   : std::string();
  };
  std::string out = inlined ? "" : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
         "\" viewBox=\"0 0 " + width + " " + height +
         "\" font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\"";
  if (inlined) out += " role=\"img\"" + attribute("aria-labelledby", "-title");
  if (inlined && !about.description.empty()) out += attribute("aria-describedby", "-desc");
  out += ">\n<title" + attribute("id", "-title") + ">" + escape_xml(about.title) + "</title>\n";
  if (!about.description.empty()) {
    out += "<desc" + attribute("id", "-desc") + ">" + escape_xml(about.description) + "</desc>\n";
  }
  return out + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + out_ + "</svg>\n";
}

}  // namespace mien::report
