// Rows of a CSV file (RFC 4180 quoting, "\n" line ends, UTF-8, "." as the decimal point);
// core/csv.h reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mien::report {

// `field` as it stands in a file: in quotes, with its quotes doubled, when it holds a comma, a
// quote, a line end or blanks at its ends. Text is kept as it is otherwise; a spreadsheet may read
// a field that begins with '=' as a formula.
std::string csv_field(std::string_view field);

// One row in the making.
class CsvRow {
 public:
  CsvRow& text(std::string_view value);
  CsvRow& integer(std::int64_t value);
  // An empty field when the value is not finite.
  CsvRow& number(double value, int decimals);

  // The row with its line end.
  std::string line() const { return line_ + "\n"; }

 private:
  void append(std::string_view field);
  std::string line_;
  bool first_ = true;
};

// A header line.
std::string csv_header(const std::vector<std::string>& columns);

}  // namespace mien::report
