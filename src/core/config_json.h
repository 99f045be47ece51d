// Private to core: JSON text to a value, with our errors. Not for headers of other folders.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "mien/result.hpp"

namespace mien::core {

// Parses `text`; kBadFormat with the byte position when it is not JSON or nests deeper than 64
// levels (the parser recurses when a value is destroyed).
inline Result<nlohmann::json> parse_json(const std::string& text, const std::string& context) {
  constexpr int kMaxDepth = 64;
  bool too_deep = false;
  const auto guard = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    nlohmann::json value = nlohmann::json::parse(text, guard);
    if (too_deep) return make_error(ErrorCode::kLimit, "JSON nests too deeply", context);
    return value;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::kBadFormat, std::string("not valid JSON: ") + e.what(), context);
  }
}

}  // namespace mien::core
