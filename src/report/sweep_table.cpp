#include "report/sweep_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "report/csv_writer.h"
#include "report/dots_svg.h"
#include "report/text.h"

namespace mien::report {
namespace {

constexpr int kCsvDigits = 6;
constexpr std::string_view kTrainingSeconds = "training_seconds";
constexpr std::string_view kEvaluationSeconds = "evaluation_seconds";
constexpr std::array<std::string_view, 6> kFirstColumns = {
    "n", "war", "uar", "macro_f1", kTrainingSeconds, kEvaluationSeconds};
constexpr std::string_view kDash = "\xE2\x80\x93";
constexpr std::string_view kPlusMinus = " \xC2\xB1 ";

bool is_first_column(std::string_view name) {
  return std::find(kFirstColumns.begin(), kFirstColumns.end(), name) != kFirstColumns.end();
}

// The names of all figures but those of kFirstColumns, as they are first met.
std::vector<std::string> other_figures(const SweepTable& table) {
  std::vector<std::string> names;
  for (const SweepResult& result : table.results) {
    for (const auto& figure : result.figures) {
      const bool known = is_first_column(figure.first) ||
                         std::find(names.begin(), names.end(), figure.first) != names.end();
      if (!known) names.push_back(figure.first);
    }
  }
  return names;
}

Summary summary_of(const SweepTable& table, const std::string& row, const std::string& evaluation,
                   std::string_view figure) {
  return summarise(table.values(row, evaluation, figure));
}

// Of the means, to the baseline's; NaN for the baseline itself and where there is none.
double difference(const SweepTable& table, const std::string& row, const std::string& evaluation,
                  std::string_view figure) {
  if (table.baseline.empty() || row == table.baseline) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return summary_of(table, row, evaluation, figure).mean -
         summary_of(table, table.baseline, evaluation, figure).mean;
}

// ---- Markdown

// Text in a cell: no pipe ends it, no line end breaks the table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : to_valid_utf8(text)) {
    if (c == '|' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

int digits_of(std::string_view figure) {
  return is_rate(figure) ? 2 : 3;
}

std::string mean_cell(const Summary& summary, std::string_view figure) {
  if (summary.n == 0) return std::string(kDash);
  const double scale = is_rate(figure) ? 100.0 : 1.0;
  const int digits = digits_of(figure);
  std::string out = fixed(scale * summary.mean, digits);
  if (std::isfinite(summary.deviation)) {
    out += std::string(kPlusMinus) + fixed(scale * summary.deviation, digits);
  }
  return out;
}

std::string difference_cell(double value, std::string_view figure) {
  if (!std::isfinite(value)) return std::string(kDash);
  const std::string text = fixed((is_rate(figure) ? 100.0 : 1.0) * value, digits_of(figure));
  return (text.front() == '-' ? "" : "+") + text;
}

std::string title_of(std::string_view figure) {
  if (figure == "war") return "WAR %";
  if (figure == "uar") return "UAR %";
  if (figure == "macro_f1") return "macro F1 %";
  return std::string(figure) + (is_rate(figure) ? " %" : "");
}

std::vector<std::string> markdown_figures(const SweepTable& table) {
  std::vector<std::string> names = {"war", "uar", "macro_f1"};
  std::vector<std::string> more = table.figures;
  more.insert(more.begin(), table.figure);
  for (const std::string& name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string markdown_line(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& text : cells) out += " " + text + " |";
  return out + "\n";
}

std::string markdown_row(const SweepTable& table, const std::string& row,
                         const std::string& evaluation, const std::vector<std::string>& figures) {
  const Summary first = summary_of(table, row, evaluation, table.figure);
  std::vector<std::string> cells = {cell(row), std::to_string(first.n)};
  for (const std::string& figure : figures) {
    cells.push_back(mean_cell(summary_of(table, row, evaluation, figure), figure));
  }
  if (!table.baseline.empty()) {
    cells.push_back(
        difference_cell(difference(table, row, evaluation, table.figure), table.figure));
  }
  const Summary seconds = summary_of(table, row, evaluation, kTrainingSeconds);
  cells.push_back(seconds.n == 0 ? std::string(kDash) : fixed(seconds.mean / 60.0, 1));
  return markdown_line(cells);
}

}  // namespace

double SweepResult::figure(std::string_view name) const {
  if (name == kTrainingSeconds) return training_seconds;
  if (name == kEvaluationSeconds) return evaluation_seconds;
  for (const auto& [own, value] : figures) {
    if (own == name) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Summary summarise(std::span<const double> values) {
  Summary out;
  out.n = values.size();
  if (values.empty()) return out;
  double sum = 0.0;
  for (const double value : values) sum += value;
  out.mean = sum / static_cast<double>(out.n);
  if (out.n < 2) return out;
  double squares = 0.0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / static_cast<double>(out.n - 1));
  return out;
}

bool is_rate(std::string_view figure) {
  const std::size_t dot = figure.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? figure : figure.substr(dot + 1);
  return last == "war" || last == "uar" || last == "macro_f1";
}

std::vector<double> SweepTable::values(const std::string& row, const std::string& evaluation,
                                       std::string_view name) const {
  std::vector<double> out;
  for (const SweepResult& result : results) {
    if (result.row != row || result.evaluation != evaluation) continue;
    const double value = result.figure(name);
    if (std::isfinite(value)) out.push_back(value);
  }
  return out;
}

std::string sweep_results_csv(const SweepTable& table) {
  const std::vector<std::string> others = other_figures(table);
  std::vector<std::string> columns = {"row", "seed", "evaluation"};
  for (const std::string_view name : kFirstColumns) columns.emplace_back(name);
  columns.emplace_back("model");
  columns.insert(columns.end(), others.begin(), others.end());
  std::string out = csv_header(columns);
  for (const SweepResult& result : table.results) {
    CsvRow line;
    line.text(result.row).text(result.seed ? std::to_string(*result.seed) : std::string());
    line.text(result.evaluation);
    for (const std::string_view name : kFirstColumns) {
      line.number(result.figure(name), name == "n" ? 0 : kCsvDigits);
    }
    line.text(result.model);
    for (const std::string& name : others) line.number(result.figure(name), kCsvDigits);
    out += line.line();
  }
  return out;
}

std::string sweep_table_csv(const SweepTable& table) {
  std::vector<std::string> figures(kFirstColumns.begin(), kFirstColumns.end());
  const std::vector<std::string> others = other_figures(table);
  figures.insert(figures.end(), others.begin(), others.end());
  std::string out =
      csv_header({"evaluation", "row", "figure", "seeds", "mean", "std", "difference"});
  for (const std::string& evaluation : table.evaluations) {
    for (const std::string& row : table.rows) {
      for (const std::string& figure : figures) {
        const Summary summary = summary_of(table, row, evaluation, figure);
        if (summary.n == 0) continue;
        CsvRow line;
        line.text(evaluation).text(row).text(figure);
        line.integer(static_cast<std::int64_t>(summary.n));
        line.number(summary.mean, kCsvDigits).number(summary.deviation, kCsvDigits);
        line.number(difference(table, row, evaluation, figure), kCsvDigits);
        out += line.line();
      }
    }
  }
  return out;
}

std::string sweep_table_markdown(const SweepTable& table) {
  const std::vector<std::string> figures = markdown_figures(table);
  std::vector<std::string> head = {"row", "seeds"};
  for (const std::string& figure : figures) head.push_back(cell(title_of(figure)));
  if (!table.baseline.empty()) {
    head.push_back("to " + cell(table.baseline) + (is_rate(table.figure) ? ", points" : ""));
  }
  head.emplace_back("training min");
  std::vector<std::string> rule(head.size(), "---:");
  rule[0] = "---";
  std::string out = "# " + cell(table.title) + "\n";
  for (const std::string& evaluation : table.evaluations) {
    out += "\n## " + cell(evaluation) + "\n\n" + markdown_line(head) + markdown_line(rule);
    for (const std::string& row : table.rows) {
      if (table.left_out.contains({row, evaluation})) continue;
      out += markdown_row(table, row, evaluation, figures);
    }
  }
  out += "\nMean" + std::string(kPlusMinus) + "standard deviation of the sample over the seeds.";
  if (!table.baseline.empty()) {
    out += " Differences are of the mean " + cell(title_of(table.figure)) + ".";
  }
  return out + "\n";
}

std::string sweep_table_svg(const SweepTable& table) {
  const double scale = is_rate(table.figure) ? 100.0 : 1.0;
  std::vector<DotsGroup> groups;
  for (const std::string& evaluation : table.evaluations) {
    DotsGroup group;
    if (table.evaluations.size() > 1) group.title = evaluation;
    for (const std::string& name : table.rows) {
      if (table.left_out.contains({name, evaluation})) continue;
      DotsRow row{.name = name};
      for (const SweepResult& result : table.results) {
        if (result.row != name || result.evaluation != evaluation) continue;
        row.values.push_back(scale * result.figure(table.figure));
        row.tips.push_back(result.seed ? "seed " + std::to_string(*result.seed) : result.model);
      }
      group.rows.push_back(std::move(row));
    }
    groups.push_back(std::move(group));
  }
  return dots_svg(groups, {.title = table.title,
                           .x_title = title_of(table.figure),
                           .decimals = is_rate(table.figure) ? 1 : 3});
}

}  // namespace mien::report
