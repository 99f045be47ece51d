// A table of experiments: rows of settings measured with several seeds, as CSV, Markdown and a
// drawing.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::report {

// One measurement of one model.
struct SweepResult {
  std::string row{};
  std::optional<std::int64_t> seed{};  // none: a model that was given, not trained
  std::string evaluation{};
  std::string model{};                                                 // its file
  double training_seconds = std::numeric_limits<double>::quiet_NaN();  // NaN: unknown
  double evaluation_seconds = std::numeric_limits<double>::quiet_NaN();
  // By name: war, uar and macro_f1 (0..1), n, and whatever else was found.
  std::vector<std::pair<std::string, double>> figures{};

  // NaN when there is none. "training_seconds" and "evaluation_seconds" are figures too.
  double figure(std::string_view name) const;
};

struct Summary {
  std::size_t n = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();       // NaN for n = 0
  double deviation = std::numeric_limits<double>::quiet_NaN();  // of the sample (n - 1); n < 2: NaN
};

// All values must be finite.
Summary summarise(std::span<const double> values);

// Whether a figure is a share that tables give in percent: war, uar and macro_f1, also as the last
// part of a dotted name ("budgets[0.5].war").
bool is_rate(std::string_view figure);

struct SweepTable {
  std::string title{};
  std::vector<std::string> rows{};         // in the order of the tables
  std::vector<std::string> evaluations{};  // likewise
  // Rows and evaluations that are not for each other: a row is not listed there.
  std::set<std::pair<std::string, std::string>> left_out{};
  std::string baseline{};              // the row that differences are taken to; may be empty
  std::string figure = "war";          // what the drawing and the differences show
  std::vector<std::string> figures{};  // further columns of the Markdown table
  std::vector<SweepResult> results{};

  // The finite values of a figure, in the order of the results.
  std::vector<double> values(const std::string& row, const std::string& evaluation,
                             std::string_view figure) const;
};

// One line per result: row, seed, evaluation, n, war, uar, macro_f1, training_seconds,
// evaluation_seconds, model, then all other figures in the order in which they are first met; a
// field is empty where a result lacks the figure.
std::string sweep_results_csv(const SweepTable& table);

// One line per evaluation, row and figure that has values: mean and deviation over the seeds, how
// many there are, and the difference of the mean to the baseline's. Rates are 0..1.
std::string sweep_table_csv(const SweepTable& table);

// A table for people per evaluation: mean ± deviation in percent, the difference to the baseline in
// points (for a figure that is no rate, in its own unit), minutes of training. Rows without results
// have a dash.
std::string sweep_table_markdown(const SweepTable& table);

// The drawing: a group per evaluation, a dot per seed.
std::string sweep_table_svg(const SweepTable& table);

}  // namespace mien::report
