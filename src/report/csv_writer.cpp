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

}  // namespace mien::report
