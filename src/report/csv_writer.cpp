#include "report/csv_writer.h"

#include "report/text.h"

namespace mien::report {

std::string csv_field(std::string_view field) {
  const bool quotes = field.find_first_of(",\"\r\n") != std::string_view::npos ||
                      (!field.empty() && (field.front() == ' ' || field.back() == ' '));
  if (!quotes) return std::string(field);
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void CsvRow::append(std::string_view field) {
  if (!first_) line_ += ',';
  first_ = false;
  line_ += field;
}

CsvRow& CsvRow::text(std::string_view value) {
  append(csv_field(to_valid_utf8(value)));
  return *this;
}

CsvRow& CsvRow::integer(std::int64_t value) {
  append(std::to_string(value));
  return *this;
}

CsvRow& CsvRow::number(double value, int decimals) {
  append(fixed(value, decimals));
  return *this;
}

std::string csv_header(const std::vector<std::string>& columns) {
  CsvRow row;
  for (const std::string& column : columns) row.text(column);
  return row.line();
}

std::vector<std::string> parse_csv_line(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (quoted || (c != '\r' && c != '\n')) {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace mien::report
