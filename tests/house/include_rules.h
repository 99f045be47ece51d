// Who may include whom: the table of the architecture, as data, and the check against it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mien::house {

// Folders of src/ and, for each, the folders whose headers it may include besides its own.
const std::map<std::string, std::set<std::string>>& allowed_includes();

// Public headers ("result.hpp") and the folder that each belongs to.
const std::map<std::string, std::string>& public_header_owners();

// What is wrong with the #includes of one file; empty when nothing is. `path` is relative to the
// root ("src/engine/vit.cpp", "include/mien/result.hpp"), `text` its contents. An unknown folder,
// an unknown public header and a path that climbs with ".." are faults too.
std::vector<std::string> include_faults(const std::string& path, std::string_view text);

}  // namespace mien::house
