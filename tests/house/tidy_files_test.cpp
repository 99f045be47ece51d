// How the files themselves look: size, white space, format, and nothing of one person's machine.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "house/source_tree.h"

namespace mien::house {
namespace {

constexpr std::size_t kMaxLines = 400;  // of one source file

bool is_text(const std::string& path) {
  static const std::regex kText(
      R"(.*\.(h|hpp|cpp|cmake|txt|md|sh|awk|toml|json|csv|svg|in|yml)|.*(Makefile|\.clang-format|)"
      R"(\.clang-tidy|\.editorconfig|\.gitignore|\.ci/run|VERSION))");
  return std::regex_match(path, kText);
}

// Text files that belong to the repository. Folders are named, so that build folders, outputs and
// what else lies about in a working copy are not looked at.
std::vector<std::string> repository_files() {
  std::vector<std::string> files;
  for (const char* folder : {"src", "include", "tests", "bench", "fuzz", "examples", "cmake",
                             "scripts", "models", "docs", "configs", ".ci"}) {
    for (const auto& path : files_below(folder, {})) {
      // The trainings of a sweep are not kept.
      const bool of_a_sweep = path.string().find("/runs/") != std::string::npos;
      if (is_text(path) && !of_a_sweep) files.push_back(path);
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(source_root())) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && is_text(name)) files.push_back(name);
  }
  return files;
}

TEST(TidyFiles, SourcesAreShort) {
  for (const auto& file : files_below("src", {".h", ".hpp", ".cpp"})) {
    EXPECT_LE(lines_of(read_text(source_root() / file)).size(), kMaxLines) << file;
  }
}

TEST(TidyFiles, NoTrailingBlanksAndOneEndOfFile) {
  const auto files = repository_files();
  EXPECT_GT(files.size(), 50U);
  for (const auto& file : files) {
    const std::string text = read_text(source_root() / file);
    if (text.empty()) continue;
    EXPECT_EQ(text.back(), '\n') << file << ": no newline at the end";
    EXPECT_EQ(text.find('\r'), std::string::npos) << file << ": carriage return";
    std::size_t number = 0;
    for (const auto& line : lines_of(text)) {
      ++number;
      EXPECT_TRUE(line.empty() || (line.back() != ' ' && line.back() != '\t'))
          << file << ":" << number << ": blank at the end of the line";
    }
  }
}

// Absolute paths of one machine: home folders, work folders and temporary files.
bool names_a_machine(const std::string& line) {
  static const std::regex kMachine(R"re((^|[\s"'`(=:])/(home|Users|work|root|mnt)/\w)re");
  return std::regex_search(line, kMachine);
}

TEST(TidyFiles, NoPathOfOneMachine) {
  const auto files = repository_files();
  EXPECT_GT(files.size(), 50U);
  for (const auto& file : files) {
    if (file == "tests/house/tidy_files_test.cpp") continue;  // the planted ones below
    std::size_t number = 0;
    for (const auto& line : lines_of(read_text(source_root() / file))) {
      ++number;
      EXPECT_FALSE(names_a_machine(line)) << file << ":" << number << ": " << line;
    }
  }
}

TEST(TidyFiles, FindsPlantedMachinePaths) {
  EXPECT_TRUE(names_a_machine("const char* kData = \"/home/ann/data\";"));
  EXPECT_TRUE(names_a_machine(std::string("root=/") + "work" + "/main"));
  EXPECT_FALSE(names_a_machine("/usr/share/opencv4 and src/work/home/x"));
  EXPECT_FALSE(names_a_machine("a clip at https://example.org/home/page"));
}

TEST(TidyFiles, SourcesAreFormatted) {
  if (run_command("command -v clang-format").exit_code != 0) {
    GTEST_SKIP() << "clang-format is not installed";
  }
  std::string command = "cd " + shell_quote(source_root()) + " && clang-format --dry-run -Werror";
  for (const auto& file : cpp_files()) command += " " + shell_quote(file);
  const auto result = run_command(command);
  // One line per file is enough to know what to run `make format` for.
  static const std::regex kFault(R"(^([^:\s]+):(\d+):\d+: error: .*)");
  std::string last;
  for (const auto& line : lines_of(result.output)) {
    std::smatch match;
    if (!std::regex_match(line, match, kFault) || match[1] == last) continue;
    last = match[1];
    ADD_FAILURE() << last << ":" << match[2] << ": not formatted (make format)";
  }
  EXPECT_TRUE(result.exit_code == 0 || !last.empty()) << result.output;
}

}  // namespace
}  // namespace mien::house
