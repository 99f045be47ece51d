#include "report/json_writer.h"

#include <utility>

#include "report/text.h"

namespace mien::report {

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * levels_.size(), ' ');
}

void JsonWriter::before_value() {
  if (std::exchange(after_key_, false) || levels_.empty()) return;
  Level& level = levels_.back();
  if (!level.empty) text_ += level.layout == Layout::kInline ? ", " : ",";
  if (level.layout == Layout::kLines) new_line();
  level.empty = false;
}

JsonWriter& JsonWriter::begin(char bracket, Layout layout) {
  before_value();
  text_ += bracket;
  // Whatever stands inside a single line stays on it.
  if (!levels_.empty() && levels_.back().layout == Layout::kInline) layout = Layout::kInline;
  levels_.push_back({layout});
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  if (levels_.empty()) return *this;
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty && level.layout == Layout::kLines) new_line();
  text_ += bracket;
  if (levels_.empty()) text_ += '\n';
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  before_value();
  text_ += quote_json(name) + ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  return raw(quote_json(value));
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  return raw(std::to_string(value));
}

JsonWriter& JsonWriter::number(double value, int decimals) {
  const std::string digits = compact(value, decimals);
  return raw(digits.empty() ? "null" : digits);
}

JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::strings(const std::vector<std::string>& values) {
  begin_array(Layout::kInline);
  for (const std::string& value : values) string(value);
  return end_array();
}

std::string JsonWriter::take() {
  return std::exchange(text_, {});
}

}  // namespace mien::report
