// The golden cases of the shared folder, opened as models.
#pragma once

#include <filesystem>
#include <string>

#include "core/files.h"
#include "core/model_file.h"

namespace mien::test {

inline std::string golden(const std::string& name) {
  return std::string(MIEN_SHARED_DIR) + "/reference/golden/" + name;
}

inline bool has_golden() {
  return std::filesystem::exists(golden("s2d_small"));
}

// Weights of a golden case with its config, as `mien convert` would join them.
inline Result<core::ModelFile> open_golden(const std::string& name) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(golden(name) + "/config.json"));
  MIEN_ASSIGN(core::ModelConfig config, core::parse_model_config(text));
  MIEN_ASSIGN(auto file, core::SafetensorsFile::open(golden(name) + "/weights.safetensors"));
  return core::ModelFile{name, std::move(config), std::move(file)};
}

}  // namespace mien::test

#define MIEN_NEEDS_GOLDEN() \
  if (!mien::test::has_golden()) GTEST_SKIP() << "no golden numbers at " << MIEN_SHARED_DIR
