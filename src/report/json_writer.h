// JSON written from front to back, so that a document may be larger than memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mien::report {

// Builds text in `take()`-able pieces. The caller keeps the order (a key before each value of an
// object, as many ends as begins); commas and, in objects and arrays begun with `lines`, line
// breaks and indentation are put in here.
//
//   JsonWriter json;
//   json.begin_object().key("n").integer(3).key("rows").begin_array();
//   for (...) { json.number(x, 3); file.write(json.take()); }
//   json.end_array().end_object();
//   file.write(json.take());
class JsonWriter {
 public:
  enum class Layout { kLines, kInline };

  JsonWriter& begin_object(Layout layout = Layout::kLines) { return begin('{', layout); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array(Layout layout = Layout::kLines) { return begin('[', layout); }
  JsonWriter& end_array() { return end(']'); }

  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  // At most `decimals` digits behind the point; null when not finite.
  JsonWriter& number(double value, int decimals);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // A value that is JSON already (a fragment from a file of ours).
  JsonWriter& raw(std::string_view json);

  JsonWriter& strings(const std::vector<std::string>& values);

  // What was written since the last call.
  std::string take();

 private:
  struct Level {
    Layout layout;
    bool empty = true;
  };
  JsonWriter& begin(char bracket, Layout layout);
  JsonWriter& end(char bracket);
  void before_value();
  void new_line();

  std::string text_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace mien::report
