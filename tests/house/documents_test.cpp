// The documents tell the truth about the tree: every path that they name in backticks exists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "house/source_tree.h"

namespace fs = std::filesystem;

namespace mien::house {
namespace {

// Folders at the root whose mention is a claim that the path exists. Things made by a build or a
// run (build/mien, demo_out/timeline.svg) and data beside the repository (../shared) are none.
const std::set<std::string>& claimed_roots() {
  static const std::set<std::string> kRoots = {"src",     "include", "tests",    "cmake",
                                               "scripts", "models",  "examples", "bench",
                                               "fuzz",    "docs",    "configs",  ".ci"};
  return kRoots;
}

// Paths named in the backticks and link targets of a Markdown text, outside fenced blocks. A path
// of a pair as in `a/x.h/.cpp` is both; one with a wildcard or a placeholder is none.
std::vector<std::string> named_paths(const std::string& markdown) {
  static const std::regex kSpan(R"(`([^`]+)`|\]\(([^)#]+)\))");
  std::vector<std::string> paths;
  bool fenced = false;
  for (const auto& line : lines_of(markdown)) {
    if (line.rfind("```", 0) == 0) fenced = !fenced;
    if (fenced) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), kSpan), end; it != end; ++it) {
      std::string path = (*it)[1].matched ? (*it)[1].str() : (*it)[2].str();
      if (path.find_first_of(" *<>{}$:=") != std::string::npos) continue;
      const bool at_root = claimed_roots().count(path.substr(0, path.find('/'))) != 0 &&
                           path.find('/') != std::string::npos;
      static const std::regex kRootFile(
          R"([A-Za-z][\w-]*\.(md|txt|json)|Makefile|LICENSE|VERSION)");
      const bool root_file = std::regex_match(path, kRootFile) && (*it)[2].matched;
      if (!at_root && !root_file) continue;
      if (const auto pair = path.find(".h/.cpp"); pair != std::string::npos) {
        paths.push_back(path.substr(0, pair) + ".h");
        paths.push_back(path.substr(0, pair) + ".cpp");
      } else {
        paths.push_back(path);
      }
    }
  }
  return paths;
}

TEST(Documents, NamedPathsExist) {
  std::size_t named = 0;
  for (const char* document : {"DEVELOPMENT.md", "README.md"}) {
    for (const auto& path : named_paths(read_text(source_root() / document))) {
      ++named;
      EXPECT_TRUE(fs::exists(source_root() / path)) << document << " names " << path;
    }
  }
  EXPECT_GT(named, 20U) << "hardly any path was found: does the scan still read the documents?";
}

TEST(Documents, FindsPaths) {
  const auto paths = named_paths(
      "See `src/core/result.cpp`, `src/core/tensor.h/.cpp`, `build/mien`, `make test`, `core`.\n"
      "```\n`src/not/this.cpp`\n```\n[licence](LICENSE) ![picture](docs/timeline.png) "
      "`models/*.md`\n"
      "`examples/`\n");
  EXPECT_EQ(paths, (std::vector<std::string>{"src/core/result.cpp", "src/core/tensor.h",
                                             "src/core/tensor.cpp", "LICENSE", "docs/timeline.png",
                                             "examples/"}));
}

// What README.md shows as C++ is what the examples compile: each of its lines stands in one of
// them.
TEST(Documents, SnippetsComeFromTheExamples) {
  const auto trimmed = [](const std::string& line) {
    const auto begin = line.find_first_not_of(' ');
    return begin == std::string::npos ? std::string() : line.substr(begin);
  };
  std::set<std::string> known = {""};
  for (const auto& file : files_below("examples", {".cpp"})) {
    for (const auto& line : lines_of(read_text(source_root() / file))) known.insert(trimmed(line));
  }
  bool cpp = false;
  std::size_t shown = 0;
  for (const auto& line : lines_of(read_text(source_root() / "README.md"))) {
    if (line.rfind("```", 0) == 0) {
      cpp = line == "```cpp";
    } else if (cpp) {
      ++shown;
      EXPECT_EQ(known.count(trimmed(line)), 1U) << "in no example: " << line;
    }
  }
  EXPECT_GT(shown, 5U);
}

TEST(Documents, DevelopmentNamesEveryFolderOfSrc) {
  const std::string text = read_text(source_root() / "DEVELOPMENT.md");
  for (const auto& entry : fs::directory_iterator(source_root() / "src")) {
    const std::string name = "`src/" + entry.path().filename().string() + "/`";
    EXPECT_NE(text.find(name), std::string::npos) << "DEVELOPMENT.md does not mention " << name;
  }
}

TEST(Documents, ClipPathHasAtMostTwelveSteps) {
  const std::string text = read_text(source_root() / "DEVELOPMENT.md");
  const auto begin = text.find("## The path of one clip");
  ASSERT_NE(begin, std::string::npos);
  const auto section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
  static const std::regex kStep(R"(^\d+\. .*)");
  std::size_t steps = 0;
  for (const auto& line : lines_of(section)) steps += std::regex_match(line, kStep) ? 1U : 0U;
  EXPECT_GE(steps, 5U);
  EXPECT_LE(steps, 12U);
}

}  // namespace
}  // namespace mien::house
