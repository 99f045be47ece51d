#include "learn/sweep_record.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/files.h"

namespace mien::learn {
namespace {

using Json = nlohmann::ordered_json;  // figures keep the order in which they were written

constexpr int kMaxDepth = 16;  // of an evaluation's document; the walk below recurses
constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

Result<Json> parse(const std::string& text, const std::string& context) {
  bool too_deep = false;
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    Json value = Json::parse(text, guard);
    if (too_deep) return make_error(ErrorCode::kBadFormat, "JSON nests too deeply", context);
    if (!value.is_object()) return make_error(ErrorCode::kBadFormat, "is no JSON object", context);
    return value;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::kBadFormat, std::string("not valid JSON: ") + e.what(), context);
  }
}

bool is_left_out(std::string_view name) {
  constexpr std::array<std::string_view, 4> kLeftOut = {"protocol", "ci", "std", "pooled"};
  for (const std::string_view other : kLeftOut) {
    if (name == other) return true;
  }
  return false;
}

// What tells an element of a list from the others; empty when nothing does.
std::string label_of(const Json& item) {
  if (!item.is_object()) return {};
  if (const auto name = item.find("name"); name != item.end() && name->is_string()) {
    return name->get<std::string>();
  }
  if (const auto budget = item.find("budget"); budget != item.end() && budget->is_number()) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", budget->get<double>());
    return text.data();
  }
  return {};
}

void collect(const Json& object, const std::string& prefix, SweepFigures& out) {
  for (const auto& [name, value] : object.items()) {
    if (prefix.empty() && is_left_out(name)) continue;
    if (value.is_number()) {
      out.emplace_back(prefix + name, value.get<double>());
    } else if (value.is_object()) {
      collect(value, prefix + name + ".", out);
    } else if (value.is_array()) {
      for (const Json& item : value) {
        const std::string label = label_of(item);
        if (!label.empty()) collect(item, prefix + name + "[" + label + "].", out);
      }
    }
  }
}

}  // namespace

Result<SweepFigures> sweep_figures(const std::string& json, const std::string& context) {
  MIEN_ASSIGN(const Json document, parse(json, context));
  SweepFigures figures;
  collect(document, "", figures);
  return figures;
}

Status write_sweep_record(const std::string& path, const std::string& key, double seconds,
                          const std::string& json) {
  MIEN_ASSIGN(Json document, parse(json, path));
  Json record = Json::object();
  record["settings"] = key;
  record["seconds"] = seconds;
  record["evaluation"] = std::move(document);
  return core::write_file_atomically(
      path, record.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<SweepRecord> read_sweep_record(const std::string& path, const std::string& key) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(path, kMaxBytes));
  MIEN_ASSIGN(const Json record, parse(text, path));
  const auto settings = record.find("settings");
  const auto seconds = record.find("seconds");
  const auto document = record.find("evaluation");
  if (settings == record.end() || !settings->is_string() || seconds == record.end() ||
      !seconds->is_number() || document == record.end() || !document->is_object()) {
    return make_error(ErrorCode::kBadFormat, "is no record of a sweep", path);
  }
  if (settings->get<std::string>() != key) {
    return make_error(ErrorCode::kNotFound, "was made with other settings", path);
  }
  SweepRecord out;
  out.seconds = seconds->get<double>();
  collect(*document, "", out.figures);
  return out;
}

}  // namespace mien::learn
