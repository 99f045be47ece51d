#include "report/bars_svg.h"

#include <algorithm>
#include <array>

#include "report/svg_canvas.h"
#include "report/text.h"

namespace mien::report {
namespace {

constexpr double kBar = 13;         // height of a bar
constexpr double kGroupGap = 14;    // between two classes
constexpr double kBarsTop = 40;     // room for the legend
constexpr double kBarsWidth = 520;  // of 100 %
constexpr double kGroup = 3 * kBar + kGroupGap;
constexpr std::size_t kMaxBarName = 28;  // bytes

struct BarKind {
  std::string_view name;
  std::string_view color;  // of Okabe and Ito's palette; they differ in lightness too
  double ClassMetrics::*figure;
  std::int64_t ClassMetrics::*basis;  // without any there is no figure
};

constexpr std::array<BarKind, 3> kBarKinds = {{
    {"recall", "#0072b2", &ClassMetrics::recall, &ClassMetrics::support},
    {"precision", "#e69f00", &ClassMetrics::precision, &ClassMetrics::predicted},
    {"F1", "#999999", &ClassMetrics::f1, &ClassMetrics::support},
}};

void draw_legend(SvgCanvas& canvas, double left) {
  double x = left;
  for (const BarKind& kind : kBarKinds) {
    canvas.rectangle(x, 8, 13, 13, kind.color);
    canvas.text(x + 18, 19, {.size = 13}, kind.name);
    x += 18 + text_width(kind.name, 13) + 20;
  }
}

void draw_group(SvgCanvas& canvas, const ClassMetrics& figures, const std::string& name,
                double left, double top) {
  canvas.text(left - 10, top + 16, {.size = 13, .anchor = "end"}, name);
  canvas.text(left - 10, top + 31, {.size = 11, .color = "#555", .anchor = "end"},
              "n " + std::to_string(figures.support));
  for (std::size_t i = 0; i < kBarKinds.size(); ++i) {
    const BarKind& kind = kBarKinds[i];
    const double y = top + kBar * static_cast<double>(i);
    if (figures.*kind.basis == 0) {
      canvas.text(left + 4, y + 10, {.size = 10, .color = "#555"}, "none");
      continue;
    }
    const double rate = figures.*kind.figure;
    const double width = kBarsWidth * std::clamp(rate, 0.0, 1.0);
    const std::string percent = fixed(100.0 * rate, 1);
    canvas.rectangle(left, y, width, kBar - 1.5, kind.color,
                     name + ", " + std::string(kind.name) + ": " + percent + " %");
    canvas.text(left + width + 5, y + 10, {.size = 10, .color = "#333"}, percent);
  }
}

std::string spoken(const std::vector<ClassMetrics>& figures, const std::vector<std::string>& names,
                   const std::string& items) {
  std::string out = "In percent:";
  for (std::size_t i = 0; i < figures.size(); ++i) {
    out += " " + names[i] + " (" + std::to_string(figures[i].support) + " " + items + "): recall " +
           fixed(100.0 * figures[i].recall, 1) + ", precision " +
           fixed(100.0 * figures[i].precision, 1) + ", F1 " + fixed(100.0 * figures[i].f1, 1) + ".";
  }
  return out;
}

}  // namespace

std::string bars_svg(const std::vector<ClassMetrics>& figures,
                     const std::vector<std::string>& classes, const BarsSvgOptions& options) {
  std::vector<std::string> names;
  double widest = 50.0;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    names.push_back(shorten(class_name(classes, i), kMaxBarName));
    widest = std::max(widest, text_width(names.back(), 13));
  }
  const double left = widest + 24;
  const double bottom = kBarsTop + kGroup * static_cast<double>(figures.size());
  SvgCanvas canvas;
  draw_legend(canvas, left);
  for (int percent = 0; percent <= 100; percent += 20) {
    const double x = left + kBarsWidth * percent / 100.0;
    canvas.line(x, kBarsTop - 6, x, bottom, "stroke=\"#000\" stroke-opacity=\"0.13\"");
    canvas.text(x, bottom + 16, {.color = "#444", .anchor = "middle"},
                std::to_string(percent) + " %");
  }
  for (std::size_t i = 0; i < figures.size(); ++i) {
    draw_group(canvas, figures[i], names[i], left, kBarsTop + kGroup * static_cast<double>(i));
  }
  return canvas.document({.width = left + kBarsWidth + 56,
                          .height = bottom + 26,
                          .title = options.title,
                          .description = spoken(figures, names, options.items),
                          .id = options.id});
}

}  // namespace mien::report
