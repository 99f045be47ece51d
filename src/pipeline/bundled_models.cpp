// Where the models that ship with mien lie.
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "mien/analyzer.hpp"

namespace mien {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> model_places() {
  std::vector<fs::path> places;
  if (const char* chosen = std::getenv("MIEN_MODELS"); chosen != nullptr && *chosen != '\0') {
    places.emplace_back(chosen);
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) {
    const fs::path folder = program.parent_path();
    places.push_back((folder / ".." / "models").lexically_normal());
    places.push_back((folder / ".." / ".." / "models").lexically_normal());
    places.push_back((folder / ".." / "share" / "mien" / "models").lexically_normal());
  }
  places.emplace_back(MIEN_INSTALL_MODELS);
  return places;
}

bool fits(const fs::path& file, const std::string& kind) {
  if (file.extension() != ".safetensors") return false;
  const std::string stem = file.stem().string();
  return kind == "landmark" ? stem == "landmark" : stem.starts_with(kind + "-");
}

std::string pattern(const std::string& kind) {
  return kind == "landmark" ? "landmark.safetensors" : kind + "-*.safetensors";
}

// The first by name, so that the answer does not depend on the disk's order; "" without one.
std::string find_in(const fs::path& place, const std::string& kind) {
  std::string found;
  std::error_code ignored;
  for (fs::directory_iterator it(place, ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    const std::string path = it->path().string();
    if (fits(it->path(), kind) && (found.empty() || path < found)) found = path;
  }
  return found;
}

// A model of the first of `kinds` that the first place with any of them has.
Result<std::string> find_first(const std::vector<std::string>& kinds) {
  std::string looked;
  for (const fs::path& place : model_places()) {
    for (const std::string& kind : kinds) {
      if (const std::string found = find_in(place, kind); !found.empty()) return found;
    }
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  return make_error(ErrorCode::kNotFound,
                    "no such bundled model in " + looked + " (set MIEN_MODELS, or name a file)",
                    pattern(kinds.front()));
}

}  // namespace

Result<std::string> find_bundled_model(const std::string& kind) {
  return find_first({kind});
}

Result<std::string> find_default_model(bool stills) {
  if (stills) return find_first({"s2d", "adatosk"});
  return find_first({"adatosk", "s2d"});
}

const char* version() {
  return MIEN_VERSION;
}

}  // namespace mien
