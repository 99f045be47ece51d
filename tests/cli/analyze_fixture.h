// What the tests of `mien analyze` and `mien predict` share: models with random weights, a folder
// of one's own, and a look at what the program left behind.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace mien::testing {

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // `mien <arguments>` with the random models, in this test's folder.
  Ran mien(const std::vector<std::string>& arguments, RunOptions options = {}) const;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& bytes) const;
  std::string read(const std::string& name) const;
  std::vector<std::string> lines(const std::string& name) const;
  // Names in a folder, sorted; hidden ones included.
  std::vector<std::string> list(const std::string& name) const;

  static std::string shared_video(const std::string& name);
  static bool has_shared_videos();

  std::filesystem::path folder_;  // empty at the beginning
  std::filesystem::path models_;
};

// Asserts that `ran` failed with code 1 and one line on stderr that holds `named`.
void expect_one_line_error(const Ran& ran, const std::string& named);

}  // namespace mien::testing
