// Comma-separated label files: small, read whole.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

// Rows of a CSV text (RFC 4180 quoting, LF or CRLF) with a header line.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header

  // Index of a column. Error kBadFormat names the missing column.
  Result<std::size_t> column(const std::string& name) const;
};

// Error kBadFormat with the line number when a row has another number of fields than the header, or
// a quote is left open. `context` is the file's name.
Result<CsvTable> parse_csv(const std::string& text, const std::string& context,
                           char separator = ',');

// A whole field as a number. Error kBadFormat quotes the field.
Result<double> parse_number(const std::string& field);

}  // namespace mien::learn
