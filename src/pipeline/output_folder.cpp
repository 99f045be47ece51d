#include "pipeline/output_folder.h"

#include <utility>

namespace mien::pipeline {

namespace fs = std::filesystem;

Result<OutputFolder> OutputFolder::create(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  if (error || path.empty()) {
    return make_error(ErrorCode::kIo, "cannot make an output folder", path);
  }
  std::vector<fs::path> created;
  fs::path at;
  for (const fs::path& part : absolute) {
    if (part.empty()) continue;  // after a trailing slash
    at /= part;
    if (fs::is_directory(at, error)) continue;
    if (!fs::create_directory(at, error) || error) {
      const std::string reason = error ? error.message() : "there is something else of that name";
      OutputFolder undo(absolute, std::move(created));
      return make_error(ErrorCode::kIo, "cannot make the output folder: " + reason, at.string());
    }
    created.push_back(at);
  }
  return OutputFolder(absolute, std::move(created));
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::move(other.path_)), created_(std::exchange(other.created_, {})) {}

OutputFolder::~OutputFolder() {
  std::error_code ignored;  // a folder that somebody else put a file into stays
  for (std::size_t i = created_.size(); i-- > 0;) fs::remove(created_[i], ignored);
}

std::string OutputFolder::path_of(const std::string& name) const {
  return (path_ / name).string();
}

Status OutputFolder::commit(const std::vector<Pending>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Status done = files[i].file->commit();
    if (done.ok()) continue;
    std::error_code ignored;
    for (std::size_t j = 0; j < i; ++j) fs::remove(path_ / files[j].name, ignored);
    return done;
  }
  created_.clear();
  return {};
}

}  // namespace mien::pipeline
