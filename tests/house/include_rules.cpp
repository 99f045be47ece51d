#include "house/include_rules.h"

#include <regex>

#include "house/source_tree.h"

namespace mien::house {

const std::map<std::string, std::set<std::string>>& allowed_includes() {
  static const std::map<std::string, std::set<std::string>> kTable = {
      {"core", {}},
      {"media", {"core"}},
      {"engine", {"core"}},
      {"report", {"core"}},
      {"export", {"core"}},
      {"pipeline", {"core", "media", "engine", "report"}},
      {"learn", {"core", "media", "report"}},
      {"serve", {"core", "pipeline", "report"}},
      {"cli", {"core", "media", "engine", "report", "export", "pipeline", "learn", "serve"}},
  };
  return kTable;
}

const std::map<std::string, std::string>& public_header_owners() {
  static const std::map<std::string, std::string> kOwners = {
      {"result.hpp", "core"},
      {"recognizer.hpp", "engine"},
      {"analyzer.hpp", "pipeline"},
      {"stream.hpp", "pipeline"},
  };
  return kOwners;
}

namespace {

// The folder that owns a file of the repository; "" when the table has none for it.
std::string folder_of_file(const std::string& path) {
  std::smatch match;
  if (std::regex_match(path, match, std::regex("include/mien/([^/]+)"))) {
    const auto owner = public_header_owners().find(match[1]);
    return owner == public_header_owners().end() ? "" : owner->second;
  }
  if (std::regex_match(path, match, std::regex("src/([^/]+)/.+"))) {
    return allowed_includes().count(match[1]) != 0 ? match[1].str() : "";
  }
  return "";
}

// Standard headers have no slash and no dot, C and POSIX ones end in .h; all else in <> is third
// party. Public headers may only use the former.
bool is_standard_header(const std::string& header) {
  return header.find('/') == std::string::npos && header.find('.') == std::string::npos;
}

std::string fault(const std::string& path, std::size_t line, const std::string& what) {
  return path + ":" + std::to_string(line) + ": " + what;
}

}  // namespace

std::vector<std::string> include_faults(const std::string& path, std::string_view text) {
  std::vector<std::string> faults;
  const std::string folder = folder_of_file(path);
  if (folder.empty()) {
    faults.push_back(path + ": no folder of the include table owns this file");
    return faults;
  }
  const bool is_public = path.rfind("include/", 0) == 0;
  static const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)re");
  std::size_t number = 0;
  for (const auto& line : lines_of(strip_comments(text, false))) {
    ++number;
    std::smatch match;
    if (!std::regex_match(line, match, kInclude)) continue;
    const std::string header = match[2];
    const std::string first = header.substr(0, header.find('/'));
    if (header.find("..") != std::string::npos) {
      faults.push_back(fault(path, number, "\"" + header + "\" climbs out of its folder"));
    } else if (first == "mien") {
      const auto owner = public_header_owners().find(header.substr(5));
      if (owner == public_header_owners().end()) {
        faults.push_back(fault(path, number, "unknown public header " + header));
      } else if (owner->second != folder &&
                 allowed_includes().at(folder).count(owner->second) == 0) {
        faults.push_back(fault(path, number, folder + " may not include " + header));
      }
    } else if (match[1] == "\"" || allowed_includes().count(first) != 0) {
      // Our own headers: always with their folder, and found by <> as well.
      if (allowed_includes().count(first) == 0 || header.find('/') == std::string::npos) {
        faults.push_back(fault(path, number, "\"" + header + "\" is in no known folder"));
      } else if (first != folder && allowed_includes().at(folder).count(first) == 0) {
        faults.push_back(fault(path, number, folder + " may not include " + header));
      } else if (is_public) {
        faults.push_back(fault(path, number, "a public header may not show " + header));
      }
    } else if (is_public && !is_standard_header(header)) {
      faults.push_back(fault(path, number, "a public header may not show <" + header + ">"));
    }
  }
  return faults;
}

}  // namespace mien::house
