// The history.csv of a training run, as curves.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"
#include "report/curves_svg.h"

namespace mien::report {

// One row per epoch. Columns that the trainer writes: epoch, step, lr, loss, ..., and the figures
// of the validation, whose names depend on the task.
struct TrainingHistory {
  std::vector<std::string> columns{};
  std::vector<std::vector<double>> rows{};  // each as long as `columns`; NaN where nothing stands

  std::optional<std::size_t> column(std::string_view name) const;
};

// Errors kBadFormat (context: `context`): no column `epoch` or `loss`, a column twice, a row of
// another length, a field that is neither empty nor a number. "nan" and "inf" are numbers: they are
// what the file of a run that went astray holds.
Result<TrainingHistory> parse_history(std::string_view text, const std::string& context);

// The same from a file of at most 16 MiB; errors of core/files.h as well.
Result<TrainingHistory> read_history(const std::string& path);

// Curves that belong into one plot.
struct HistoryPanel {
  std::string title{};
  std::string y_title{};
  bool from_zero = false;
  std::vector<Curve> curves{};
};

// Up to three panels over the epochs: losses (and entropies); WAR, UAR and macro F1 in percent, or
// `score` where there are none; the learning rate. Panels without a column are left out. Curves
// have at most about 2000 points.
std::vector<HistoryPanel> history_panels(const TrainingHistory& history);

}  // namespace mien::report
