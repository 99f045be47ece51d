#include "report/csv_reader.h"

#include <charconv>

namespace mien::report {
namespace {

template <typename Number>
std::optional<Number> whole_field(std::string_view field) {
  Number value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, code] = std::from_chars(field.data(), end, value);
  if (code != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

Error CsvReader::fault(const std::string& what) const {
  return make_error(ErrorCode::kBadFormat, "record " + std::to_string(record_) + ": " + what);
}

// From behind the opening quote to behind the closing one.
Status CsvReader::read_quoted(std::string& field) {
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c != '"') {
      field += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      field += '"';
      ++at_;
    } else {
      return {};
    }
  }
  return fault("open quote");
}

Status CsvReader::read_record(std::vector<std::string>& fields) {
  fields.assign(1, {});
  bool closed = false;  // the field was quoted and has ended
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\n') return {};
    if (c == '\r' && (at_ == text_.size() || text_[at_] == '\n')) continue;
    if (c == ',') {
      fields.emplace_back();
      closed = false;
    } else if (closed) {
      return fault("text behind a closing quote");
    } else if (c == '"' && fields.back().empty()) {
      MIEN_TRY(read_quoted(fields.back()));
      closed = true;
    } else {
      fields.back() += c;
    }
  }
  return {};
}

Result<bool> CsvReader::next(std::vector<std::string>& fields) {
  while (at_ < text_.size()) {
    ++record_;
    const std::size_t start = at_;
    MIEN_TRY(read_record(fields));
    // A quoted empty field is a record; a blank line is none.
    const bool blank = fields.size() == 1 && fields[0].empty() && text_[start] != '"';
    if (!blank) return true;
    --record_;
  }
  fields.clear();
  return false;
}

std::optional<double> number_in(std::string_view field) {
  return whole_field<double>(field);
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

}  // namespace mien::report
