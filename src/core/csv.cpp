#include "core/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/files.h"

namespace mien::core {
namespace {

template <typename Number>
std::optional<Number> whole_field(std::string_view field) {
  Number value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, code] = std::from_chars(field.data(), end, value);
  if (code != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string on_line(std::size_t line) {
  return "line " + std::to_string(line);
}

std::string fields_of(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " field" : " fields");
}

}  // namespace

CsvHeader::CsvHeader(std::string source, std::vector<std::string> names)
    : source_(std::move(source)), names_(std::move(names)) {}

bool CsvHeader::has(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

Result<std::size_t> CsvHeader::column(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) {
    return make_error(ErrorCode::kBadFormat, "has no column " + in_quotes(name), source_);
  }
  if (std::find(at + 1, names_.end(), name) != names_.end()) {
    return make_error(ErrorCode::kBadFormat, "column " + in_quotes(name) + " appears twice",
                      source_);
  }
  return static_cast<std::size_t>(at - names_.begin());
}

Error CsvHeader::error(const CsvRecord& record, const std::string& what) const {
  return make_error(ErrorCode::kBadFormat, on_line(record.line) + ": " + what, source_);
}

Error CsvHeader::error(const CsvRecord& record, std::size_t column, const std::string& what) const {
  const bool named = column < names_.size() && !names_[column].empty();
  const std::string name = named ? in_quotes(names_[column]) : std::to_string(column + 1);
  return make_error(ErrorCode::kBadFormat, on_line(record.line) + ", column " + name + ": " + what,
                    source_);
}

CsvReader::CsvReader(std::string_view text, std::string source)
    : text_(text), header_(std::move(source), {}) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

Result<CsvReader> CsvReader::open(std::string_view text, std::string source) {
  CsvReader reader(text, std::move(source));
  CsvRecord first;
  MIEN_ASSIGN(const bool any, reader.read_record(first));
  if (!any) return make_error(ErrorCode::kBadFormat, "is empty", reader.header_.source());
  reader.header_ = CsvHeader(reader.header_.source(), std::move(first.fields));
  return reader;
}

Result<bool> CsvReader::next(CsvRecord& record) {
  MIEN_ASSIGN(const bool any, read_record(record));
  if (any && record.fields.size() != header_.size()) {
    return header_.error(record, fields_of(record.fields.size()) + ", the header has " +
                                     std::to_string(header_.size()));
  }
  return any;
}

// A row of any length.
Result<bool> CsvReader::read_record(CsvRecord& record) {
  while (at_ < text_.size()) {
    const std::size_t start = at_;
    record.line = line_;
    MIEN_TRY(read_fields(record.fields));
    // A quoted empty field is a row; a blank line is none.
    const bool blank = record.fields.size() == 1 && record.fields[0].empty() && text_[start] != '"';
    if (!blank) return true;
  }
  record.fields.clear();
  return false;
}

Status CsvReader::read_fields(std::vector<std::string>& fields) {
  fields.assign(1, {});
  bool closed = false;  // the field was quoted and has ended
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      return {};
    }
    if (c == '\r' && (at_ == text_.size() || text_[at_] == '\n')) continue;
    if (c == ',') {
      if (fields.size() == kMaxCsvColumns) {
        return make_error(
            ErrorCode::kLimit,
            on_line(line_) + ": more than " + std::to_string(kMaxCsvColumns) + " fields",
            header_.source());
      }
      fields.emplace_back();
      closed = false;
    } else if (closed) {
      return fault(line_, fields.size() - 1, "text behind a closing quote");
    } else if (c == '"' && fields.back().empty()) {
      MIEN_TRY(read_quoted(fields));
      closed = true;
    } else {
      fields.back() += c;
    }
  }
  return {};
}

// From behind the opening quote to behind the closing one.
Status CsvReader::read_quoted(std::vector<std::string>& fields) {
  const std::size_t opened = line_;
  std::string& field = fields.back();
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') {
      if (at_ == text_.size() || text_[at_] != '"') return {};
      ++at_;  // two quotes are one of the text
    }
    if (c == '\n') ++line_;
    field += c;
  }
  return fault(opened, fields.size() - 1, "open quote");
}

Error CsvReader::fault(std::size_t line, std::size_t column, const std::string& what) const {
  return header_.error(CsvRecord{.line = line}, column, what);
}

Result<CsvTable> parse_csv(std::string_view text, const std::string& source) {
  MIEN_ASSIGN(CsvReader reader, CsvReader::open(text, source));
  CsvTable table{.header = reader.header()};
  CsvRecord record;
  while (true) {
    MIEN_ASSIGN(const bool more, reader.next(record));
    if (!more) break;
    table.rows.push_back(std::move(record));
  }
  return table;
}

Result<CsvTable> read_csv(const std::string& path, std::uint64_t limit) {
  MIEN_ASSIGN(const std::string text, read_text_file(path, limit));
  return parse_csv(text, path);
}

std::optional<double> number_in(std::string_view field) {
  return whole_field<double>(field);
}

std::optional<double> finite_in(std::string_view field) {
  const std::optional<double> value = number_in(field);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<float> float_in(std::string_view field) {
  return whole_field<float>(field);
}

std::optional<std::int64_t> integer_in(std::string_view field, std::int64_t low,
                                       std::int64_t high) {
  const auto value = whole_field<std::int64_t>(field);
  if (!value || *value < low || *value > high) return std::nullopt;
  return value;
}

std::string in_quotes(std::string_view field) {
  constexpr std::size_t kShown = 60;
  if (field.size() <= kShown) return "'" + std::string(field) + "'";
  return "'" + std::string(field.substr(0, kShown)) + "...'";
}

}  // namespace mien::core
