// A folder of results that is either complete or as it was before.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.h"
#include "mien/result.hpp"

namespace mien::pipeline {

// Files are created under temporary names and get their own together, at the end. Destroying an
// uncommitted folder removes what it made, empty folders included. One thread.
class OutputFolder {
 public:
  // Makes the folder with its parents. Error kIo with the path that could not be made, also when it
  // is there but no folder.
  static Result<OutputFolder> create(const std::string& path);

  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&& other) = delete;
  ~OutputFolder();

  std::string path_of(const std::string& name) const;

  // Gives all `files` their names. When one fails, those before it are removed again. Error kIo.
  struct Pending {
    std::string name;
    core::AtomicFile* file;
  };
  Status commit(const std::vector<Pending>& files);

 private:
  OutputFolder(std::filesystem::path path, std::vector<std::filesystem::path> created)
      : path_(std::move(path)), created_(std::move(created)) {}

  std::filesystem::path path_;
  std::vector<std::filesystem::path> created_;  // outermost first; emptied on commit
};

}  // namespace mien::pipeline
