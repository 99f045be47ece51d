#include "learn/data/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mien::learn {
namespace {

// Reads one record from `at`; false when a quote is left open.
bool read_record(const std::string& text, std::size_t& at, char separator,
                 std::vector<std::string>& fields) {
  fields.assign(1, {});
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        fields.back() += '"';
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      fields.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return !quoted;
}

}  // namespace

Result<std::size_t> CsvTable::column(const std::string& name) const {
  const auto it = std::find(header.begin(), header.end(), name);
  if (it == header.end()) {
    return make_error(ErrorCode::kBadFormat, "has no column '" + name + "'");
  }
  return static_cast<std::size_t>(it - header.begin());
}

Result<CsvTable> parse_csv(const std::string& text, const std::string& context, char separator) {
  CsvTable table;
  std::size_t at = 0;
  std::size_t line = 0;
  std::vector<std::string> fields;
  while (at < text.size()) {
    ++line;
    if (!read_record(text, at, separator, fields)) {
      return make_error(ErrorCode::kBadFormat, "record " + std::to_string(line) + ": open quote",
                        context);
    }
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (table.header.empty()) {
      table.header = fields;
    } else if (fields.size() != table.header.size()) {
      return make_error(ErrorCode::kBadFormat,
                        "record " + std::to_string(line) + " has " + std::to_string(fields.size()) +
                            " fields, the header " + std::to_string(table.header.size()),
                        context);
    } else {
      table.rows.push_back(fields);
    }
  }
  if (table.header.empty()) return make_error(ErrorCode::kBadFormat, "is empty", context);
  return table;
}

Result<double> parse_number(const std::string& field) {
  double value = 0.0;
  const char* end = field.data() + field.size();
  const auto [stop, code] = std::from_chars(field.data(), end, value);
  if (code != std::errc() || stop != end || !std::isfinite(value)) {
    return make_error(ErrorCode::kBadFormat, "'" + field + "' is not a number");
  }
  return value;
}

}  // namespace mien::learn
