#include "report/confusion_svg.h"

#include <algorithm>

#include "report/palette.h"
#include "report/svg_canvas.h"
#include "report/text.h"

namespace mien::report {
namespace {

// Pixels of the heat map.
constexpr double kMatrix = 720;  // its side at most, as far as cells do not get too small
constexpr double kMinCell = 6;
constexpr double kMaxCell = 84;
constexpr double kCellForBoth = 46;     // from here on count and percent
constexpr double kCellForPercent = 26;  // from here on percent alone
constexpr double kNameSize = 13;
constexpr std::size_t kMaxName = 28;  // bytes of a class name

class HeatMap {
 public:
  HeatMap(const ConfusionMatrix& matrix, const std::vector<std::string>& classes)
      : matrix_(matrix), rows_(matrix.per_class()) {
    const auto count = static_cast<double>(matrix.classes());
    cell_ = std::clamp(kMatrix / count, kMinCell, kMaxCell);
    double widest = 0.0;
    for (std::size_t i = 0; i < matrix.classes(); ++i) {
      names_.push_back(shorten(class_name(classes, i), kMaxName));
      widest = std::max(widest, text_width(names_.back(), kNameSize));
    }
    left_ = widest + 44.0;
    // Names that are wider than their column are turned.
    turned_ = widest > cell_ - 4.0;
    foot_ = (turned_ ? 0.65 * widest + 20.0 : 24.0) + 28.0;
    side_ = cell_ * count;
  }

  std::string draw(const ConfusionSvgOptions& options) {
    for (std::size_t truth = 0; truth < matrix_.classes(); ++truth) {
      row_names(truth);
      for (std::size_t said = 0; said < matrix_.classes(); ++said) cell(truth, said);
    }
    // The right answers, framed.
    for (std::size_t i = 0; i < matrix_.classes(); ++i) {
      canvas_.rectangle(x_of(i) + 1, y_of(i) + 1, cell_ - 2, cell_ - 2, "none", {},
                        " stroke=\"#222\" stroke-width=\"1.5\"");
      column_name(i);
    }
    const double middle = kTop + side_ / 2;
    canvas_.text(16, middle,
                 {.anchor = "middle", .extra = " transform=\"rotate(-90 16 " + px(middle) + ")\""},
                 "true class");
    canvas_.text(left_ + side_ / 2, kTop + side_ + foot_ - 6, {.anchor = "middle"}, "answer");
    canvas_.text(left_ + side_ + 8, kTop - 10, {}, options.items);
    return canvas_.document({.width = left_ + side_ + 74,
                             .height = kTop + side_ + foot_ + 4,
                             .title = options.title,
                             .description = description(),
                             .id = options.id});
  }

 private:
  static constexpr double kTop = 30;

  double x_of(std::size_t column) const { return left_ + cell_ * static_cast<double>(column); }
  double y_of(std::size_t row) const { return kTop + cell_ * static_cast<double>(row); }

  double share(std::size_t truth, std::size_t said) const {
    if (rows_[truth].support == 0) return 0.0;
    return static_cast<double>(matrix_.count(truth, said)) /
           static_cast<double>(rows_[truth].support);
  }

  void cell(std::size_t truth, std::size_t said) {
    const double part = share(truth, said);
    const Rgb shade = shade_of(part);
    const std::string ink = hex_color(readable_on(shade));
    const std::string count = std::to_string(matrix_.count(truth, said));
    const std::string percent = fixed(100.0 * part, 1);
    canvas_.rectangle(x_of(said), y_of(truth), cell_, cell_, hex_color(shade),
                      "is " + names_[truth] + ", said " + names_[said] + ": " + count + " of " +
                          std::to_string(rows_[truth].support) + " (" + percent + " %)",
                      " stroke=\"#fff\" stroke-width=\"1\"");
    const double x = x_of(said) + cell_ / 2;
    const double y = y_of(truth) + cell_ / 2;
    if (cell_ >= kCellForBoth) {
      canvas_.text(x, y - 1, {.size = 14, .color = ink, .anchor = "middle"}, count);
      canvas_.text(x, y + 14, {.size = 11, .color = ink, .anchor = "middle"}, percent + " %");
    } else if (cell_ >= kCellForPercent) {
      canvas_.text(x, y + 4, {.size = 10, .color = ink, .anchor = "middle"},
                   fixed(100.0 * part, 0));
    }
  }

  void row_names(std::size_t row) {
    if (cell_ < 10 && row % 2 == 1) return;  // there is room for every other name
    const double size = std::min(kNameSize, std::max(cell_, 8.0));
    const double y = y_of(row) + cell_ / 2 + 0.35 * size;
    canvas_.text(left_ - 8, y, {.size = size, .anchor = "end"}, names_[row]);
    canvas_.text(left_ + side_ + 8, y, {.size = size}, std::to_string(rows_[row].support));
  }

  void column_name(std::size_t column) {
    if (cell_ < 10 && column % 2 == 1) return;
    const double size = std::min(kNameSize, std::max(cell_, 8.0));
    const double x = x_of(column) + cell_ / 2;
    const double y = kTop + side_ + 18;
    if (!turned_) {
      canvas_.text(x, y, {.size = size, .anchor = "middle"}, names_[column]);
      return;
    }
    canvas_.text(x, y,
                 {.size = size,
                  .anchor = "end",
                  .extra = " transform=\"rotate(-40 " + px(x) + " " + px(y) + ")\""},
                 names_[column]);
  }

  // What the picture says, for those who cannot see it: each class's recall and where most of its
  // mistakes go.
  std::string description() const {
    std::string out = "Rows: true class; columns: answer.";
    for (std::size_t truth = 0; truth < matrix_.classes(); ++truth) {
      if (rows_[truth].support == 0) continue;
      out += " " + names_[truth] + ": " + fixed(100.0 * share(truth, truth), 1) + " % right";
      std::size_t worst = truth;
      for (std::size_t said = 0; said < matrix_.classes(); ++said) {
        if (said == truth || matrix_.count(truth, said) == 0) continue;
        if (worst == truth || matrix_.count(truth, said) > matrix_.count(truth, worst)) {
          worst = said;
        }
      }
      if (worst != truth) {
        out += ", most often taken for " + names_[worst] + " (" +
               fixed(100.0 * share(truth, worst), 1) + " %)";
      }
      out += ".";
    }
    return out;
  }

  const ConfusionMatrix& matrix_;
  std::vector<ClassMetrics> rows_;
  std::vector<std::string> names_;
  double cell_ = kMaxCell;
  double left_ = 0;
  double foot_ = 0;
  double side_ = 0;
  bool turned_ = false;
  SvgCanvas canvas_;
};

}  // namespace

std::string confusion_svg(const ConfusionMatrix& matrix, const std::vector<std::string>& classes,
                          const ConfusionSvgOptions& options) {
  return HeatMap(matrix, classes).draw(options);
}

}  // namespace mien::report
