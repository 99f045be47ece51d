// Comma-separated text with a header line, from files that come from outside. Quotes as in RFC 4180
// (a quoted field may hold commas, quotes and line ends), LF or CRLF, with or without a UTF-8 byte
// order mark. Blank lines are passed over. Packed files are unpacked by who reads them
// (media/archive.h).
//
// Every error says where: the source, the line of the text (from 1), and the column, by its name in
// the header or, where it has none, its number (from 1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"

namespace mien::core {

// Largest file that is read: the longest published list (FERV39k, training part, with absolute
// folders) has some 2.5 MB.
inline constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{64} << 20;

// Fields of one row, which take 32 times the memory of the commas between them. The widest table
// that we know has 138 (68 points); one of scores has a column per class.
inline constexpr std::size_t kMaxCsvColumns = 16384;

// One row.
struct CsvRecord {
  std::vector<std::string> fields{};
  std::size_t line = 0;  // of the text, on which the row begins; a quoted field may span several

  // `column` < fields.size().
  const std::string& operator[](std::size_t column) const { return fields[column]; }
};

// The first row: names of columns. Any text may be a name, and names may repeat as long as nobody
// asks for them.
class CsvHeader {
 public:
  CsvHeader() = default;
  CsvHeader(std::string source, std::vector<std::string> names);

  const std::string& source() const { return source_; }
  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }

  bool has(std::string_view name) const;

  // Index of a column. Errors kBadFormat: there is none of that name, or more than one.
  Result<std::size_t> column(std::string_view name) const;

  // For what a reader finds wrong with a row: kBadFormat, "line 3: `what`" with the source as
  // context.
  Error error(const CsvRecord& record, const std::string& what) const;

  // The same with the column: "line 3, column 'label': `what`".
  Error error(const CsvRecord& record, std::size_t column, const std::string& what) const;

 private:
  std::string source_;
  std::vector<std::string> names_;
};

// Reads row by row, so that memory does not grow with the text. Looks at the text without owning
// it. One thread.
class CsvReader {
 public:
  // Reads the header. `source` names the text in errors (its context); empty where the caller adds
  // the name. Errors kBadFormat: no header, and as next().
  static Result<CsvReader> open(std::string_view text, std::string source);

  const CsvHeader& header() const { return header_; }

  // The next row in `record`, as long as the header; false at the end. Errors kBadFormat: another
  // number of fields than the header has, a quote left open, text behind a closing quote; kLimit:
  // more than kMaxCsvColumns fields.
  Result<bool> next(CsvRecord& record);

 private:
  CsvReader(std::string_view text, std::string source);
  Result<bool> read_record(CsvRecord& record);
  Status read_fields(std::vector<std::string>& fields);
  Status read_quoted(std::vector<std::string>& fields);
  Error fault(std::size_t line, std::size_t column, const std::string& what) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;  // that `at_` is on
  CsvHeader header_;
};

// A whole table, for lists that are small or looked at more than once.
struct CsvTable {
  CsvHeader header{};
  std::vector<CsvRecord> rows{};  // each as long as the header
};

// Errors as of CsvReader.
Result<CsvTable> parse_csv(std::string_view text, const std::string& source);

// The same from a file; errors of core/files.h as well, kLimit for one of more than `limit` bytes.
Result<CsvTable> read_csv(const std::string& path, std::uint64_t limit = kMaxCsvBytes);

// A whole field as a number, "nan" and "inf" included; nothing when it is none.
std::optional<double> number_in(std::string_view field);

// The same, but nothing for "nan" and "inf" either.
std::optional<double> finite_in(std::string_view field);

// As number_in, rounded to a float once: what was written with a float's shortest digits comes back
// with the same bits.
std::optional<float> float_in(std::string_view field);

// A whole field as an integer of [low, high]; nothing when it is none.
std::optional<std::int64_t> integer_in(std::string_view field, std::int64_t low, std::int64_t high);

// A field for an error message: in quotes, cut when it is long. (Not `quoted`: the standard library
// has one, which calls with strings would find.)
std::string in_quotes(std::string_view field);

}  // namespace mien::core
