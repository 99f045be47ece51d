// Records of a CSV text that came from outside: quoted fields may hold line ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"

namespace mien::report {

// Reads record by record (RFC 4180 quoting, LF or CRLF, a UTF-8 byte order mark is passed over).
// Looks at `text` without owning it. One thread.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text);

  // The next record in `fields`; false at the end. Blank lines are no records. Errors kBadFormat
  // with the record's number: a quote left open, text behind a closing quote.
  Result<bool> next(std::vector<std::string>& fields);

  // Number of the record read last; the header is 1.
  std::size_t record() const { return record_; }

 private:
  Status read_record(std::vector<std::string>& fields);
  Status read_quoted(std::string& field);
  Error fault(const std::string& what) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t record_ = 0;
};

// A whole field as a number, "nan" and "inf" included; nothing when it is none.
std::optional<double> number_in(std::string_view field);

// The same, rounded to a float once: what was written with a float's shortest digits comes back
// with the same bits.
std::optional<float> float_in(std::string_view field);

// A whole field as an integer of [low, high]; nothing when it is none.
std::optional<std::int64_t> integer_in(std::string_view field, std::int64_t low, std::int64_t high);

}  // namespace mien::report
