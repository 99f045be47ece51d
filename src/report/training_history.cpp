#include "report/training_history.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/csv.h"
#include "core/files.h"

namespace mien::report {
namespace {

constexpr std::uint64_t kMaxHistoryBytes = std::uint64_t{16} << 20;
constexpr std::size_t kMaxCurvePoints = 2000;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

Error bad_history(const std::string& what) {
  return make_error(ErrorCode::kBadFormat, what);
}

Status check_columns(const TrainingHistory& history) {
  std::set<std::string_view> seen;
  for (const std::string& name : history.columns) {
    if (!seen.insert(name).second) return bad_history("column '" + name + "' appears twice");
  }
  for (const char* name : {"epoch", "loss"}) {
    if (!history.column(name)) return bad_history("has no column '" + std::string(name) + "'");
  }
  return {};
}

Result<TrainingHistory> history_of(std::string_view text, const std::string& context) {
  MIEN_ASSIGN(core::CsvReader reader, core::CsvReader::open(text, context));
  TrainingHistory history;
  history.columns = reader.header().names();
  if (const Status status = check_columns(history); !status) return status.error().within(context);
  core::CsvRecord record;
  while (true) {
    MIEN_ASSIGN(const bool more, reader.next(record));
    if (!more) break;
    std::vector<double> row;
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      const std::string& field = record[i];
      const std::optional<double> value =
          field.empty() ? std::optional<double>(kNothing) : core::number_in(field);
      if (!value) {
        return reader.header().error(record, i, core::in_quotes(field) + " is not a number");
      }
      row.push_back(*value);
    }
    history.rows.push_back(std::move(row));
  }
  return history;
}

// A column over the epochs, each value times `factor`.
Curve curve_of(const TrainingHistory& history, std::size_t column, double factor) {
  Curve curve{.name = history.columns[column]};
  const std::size_t epoch = history.column("epoch").value_or(0);
  const std::size_t stride = history.rows.size() / kMaxCurvePoints + 1;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    // The last row always counts: it is where the run stands.
    if (i % stride != 0 && i + 1 != history.rows.size()) continue;
    curve.points.emplace_back(history.rows[i][epoch], factor * history.rows[i][column]);
  }
  return curve;
}

bool is_loss(std::string_view name) {
  return name.find("loss") != std::string_view::npos ||
         name.find("entropy") != std::string_view::npos;
}

}  // namespace

std::optional<std::size_t> TrainingHistory::column(std::string_view name) const {
  const auto at = std::find(columns.begin(), columns.end(), name);
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

Result<TrainingHistory> parse_history(std::string_view text, const std::string& context) {
  return history_of(text, context);
}

Result<TrainingHistory> read_history(const std::string& path) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(path, kMaxHistoryBytes));
  return parse_history(text, path);
}

std::vector<HistoryPanel> history_panels(const TrainingHistory& history) {
  HistoryPanel losses{.title = "Loss", .y_title = "loss"};
  HistoryPanel scores{.title = "Scores on the validation data", .y_title = "percent"};
  HistoryPanel rate{.title = "Learning rate", .y_title = "learning rate", .from_zero = true};
  for (std::size_t i = 0; i < history.columns.size(); ++i) {
    if (is_loss(history.columns[i])) losses.curves.push_back(curve_of(history, i, 1.0));
  }
  for (const char* name : {"war", "uar", "macro_f1"}) {
    if (const auto at = history.column(name))
      scores.curves.push_back(curve_of(history, *at, 100.0));
  }
  if (const auto at = history.column("score"); at && scores.curves.empty()) {
    scores.y_title = "score";
    scores.curves.push_back(curve_of(history, *at, 1.0));
  }
  if (const auto at = history.column("lr")) rate.curves.push_back(curve_of(history, *at, 1.0));
  std::vector<HistoryPanel> panels;
  for (HistoryPanel* panel : {&losses, &scores, &rate}) {
    if (!panel->curves.empty()) panels.push_back(std::move(*panel));
  }
  return panels;
}

}  // namespace mien::report
