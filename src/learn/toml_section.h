// Reads one table of a TOML file key by key, and knows which keys nobody asked for.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "mien/result.hpp"

namespace mien::learn {

// Reads keys of one table and remembers which ones were asked for, so that leftovers can be
// reported.
class Section {
 public:
  Section(const toml::table* table, std::string name) : table_(table), name_(std::move(name)) {}

  template <typename T>
  void read(const char* key, T& out) {
    asked_.insert(key);
    if (table_ == nullptr || error_) return;
    const toml::node* node = table_->get(key);
    if (node == nullptr) return;
    if constexpr (std::is_same_v<T, std::string>) {
      take(key, node->value<std::string>(), out);
    } else if constexpr (std::is_same_v<T, bool>) {
      take(key, node->value<bool>(), out);
    } else if constexpr (std::is_floating_point_v<T>) {
      take(key, node->value<double>(), out);
    } else {
      take(key, node->value<std::int64_t>(), out);
    }
  }

  void read_list(const char* key, std::vector<std::string>& out) {
    asked_.insert(key);
    if (table_ == nullptr || error_) return;
    const toml::node* node = table_->get(key);
    if (node == nullptr) return;
    if (!node->is_array()) return fail(key, "is not a list");
    out.clear();
    for (const toml::node& item : *node->as_array()) {
      const auto text = item.value<std::string>();
      if (!text) return fail(key, "holds something other than text");
      out.push_back(*text);
    }
  }

  void allow(const char* key) { asked_.insert(key); }

  Status finish() {
    if (table_ != nullptr && !error_) {
      for (const auto& [key, value] : *table_) {
        if (!asked_.contains(std::string(key.str()))) {
          fail(std::string(key.str()).c_str(), "is not a known key");
          break;
        }
      }
    }
    return error_ ? Status(*error_) : Status();
  }

 private:
  template <typename V, typename T>
  void take(const char* key, const std::optional<V>& value, T& out) {
    if (!value) return fail(key, "has a value of the wrong type");
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      out = static_cast<T>(*value);
    } else {
      out = *value;
    }
  }

  void fail(const char* key, const std::string& what) {
    if (!error_)
      error_ = make_error(ErrorCode::kInvalidArgument, "'" + name_ + "." + key + "' " + what);
  }

  const toml::table* table_;
  std::string name_;
  std::set<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace mien::learn
