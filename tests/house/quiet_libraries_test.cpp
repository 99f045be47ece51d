// The libraries never print and never end the process: a host decides both. Checked twice: in the
// sources of every folder but cli, and in the symbols of every library that was built.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "house/source_tree.h"

namespace fs = std::filesystem;

namespace mien::house {
namespace {

// Calls and objects that print or end the process, in source text without comments and literals.
std::vector<std::string> noisy_lines(const std::string& path, std::string_view text) {
  static const std::regex kNoise(
      R"((^|[^\w.>])((std|::)\s*::?\s*)?(printf|vprintf|puts|putchar|perror|abort|exit|_exit|_Exit|)"
      R"(quick_exit|terminate)\s*\(|\bstd\s*::\s*(print|println)\s*\(|)"
      R"(\bstd\s*::\s*w?(cout|cerr|clog)\b|\b(stdout|stderr)\b|\bassert\s*\()");
  std::vector<std::string> found;
  std::size_t number = 0;
  for (const auto& line : lines_of(strip_comments(text, true))) {
    ++number;
    if (std::regex_search(line, kNoise)) {
      found.push_back(path + ":" + std::to_string(number) + ": " + line);
    }
  }
  return found;
}

// Undefined symbols of an archive that print or end the process. What headers of others bring along
// counts as well: it would run in our host's process all the same.
std::vector<std::string> noisy_symbols(const std::string& nm_output) {
  static const std::set<std::string> kNoise = {
      "printf",     "vprintf",    "puts",         "putchar",      "perror",
      "stdout",     "stderr",     "abort",        "exit",         "_exit",
      "_Exit",      "quick_exit", "_ZSt4cout",    "_ZSt4cerr",    "_ZSt4clog",
      "_ZSt5wcout", "_ZSt5wcerr", "__printf_chk", "__vprintf_chk"};
  std::vector<std::string> found;
  std::string member;
  for (const auto& line : lines_of(nm_output)) {
    if (!line.empty() && line.back() == ':') member = line;
    const auto at = line.find(" U ");
    if (at == std::string::npos) continue;
    const std::string symbol = line.substr(at + 3, line.find('@') - at - 3);
    if (kNoise.count(symbol) != 0) found.push_back(member + " " + symbol);
  }
  return found;
}

TEST(QuietLibraries, SourcesNeitherPrintNorExit) {
  std::size_t seen = 0;
  for (const auto& file : cpp_files()) {
    const std::string path = file;
    const bool library = path.rfind("src/", 0) == 0 && path.rfind("src/cli/", 0) != 0;
    if (!library && path.rfind("include/", 0) != 0) continue;
    ++seen;
    for (const auto& line : noisy_lines(path, read_text(source_root() / file))) {
      ADD_FAILURE() << line;
    }
  }
  EXPECT_GT(seen, 20U);
}

TEST(QuietLibraries, FindsPlantedNoiseInSources) {
  const auto count = [](const std::string& text) { return noisy_lines("a.cpp", text).size(); };
  EXPECT_EQ(count("std::printf(\"x\");\n  puts(s);\nexit(1);\nstd::abort();\n"), 4U);
  EXPECT_EQ(count("std::cout << 1;\nfprintf(stderr, f);\nassert(x > 0);\n::exit(2);\n"), 4U);
  EXPECT_EQ(count("snprintf(b, n, f);\nvoid on_exit(int);\nstatic_assert(sizeof(int) == 4);\n"),
            0U);
  EXPECT_EQ(count("// puts(x)\nauto s = \"exit(1) std::cout\"; /* abort() */\n"), 0U);
  EXPECT_EQ(count("auto s = R\"x(std::cerr \" ' )x\"; int n = 1'000'000;\n"), 0U);
  EXPECT_EQ(count("std::istreambuf_iterator<char> x; loop.exit(3);\n"), 0U);
}

// One case per library that this build has; the build passes their files as "core=FILE;...".
class Archive : public testing::TestWithParam<std::string> {};

TEST_P(Archive, SymbolsNeitherPrintNorExit) {
  const std::string file = GetParam().substr(GetParam().find('=') + 1);
  ASSERT_TRUE(fs::exists(file)) << "the build did not make " << file;
  const auto nm = run_command("nm --undefined-only " + shell_quote(file));
  ASSERT_EQ(nm.exit_code, 0) << nm.output;
  ASSERT_NE(nm.output.find(" U "), std::string::npos) << "no symbols at all in " << file;
  for (const auto& symbol : noisy_symbols(nm.output)) ADD_FAILURE() << symbol;
}

std::vector<std::string> archives() {
  std::vector<std::string> all;
  std::string rest = MIEN_ARCHIVES;
  while (!rest.empty()) {
    const auto end = rest.find('|');
    all.push_back(rest.substr(0, end));
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Of, Archive, testing::ValuesIn(archives()), [](const auto& archive) {
  return archive.param.substr(0, archive.param.find('='));
});

TEST(QuietLibraries, FindsPlantedNoiseInSymbols) {
  const std::string nm =
      "\na.cpp.o:\n                 U malloc\n                 U puts\n"
      "\nb.cpp.o:\n                 U snprintf\n                 U _ZSt4cout@GLIBCXX_3.4\n";
  EXPECT_EQ(noisy_symbols(nm), (std::vector<std::string>{"a.cpp.o: puts", "b.cpp.o: _ZSt4cout"}));
}

}  // namespace
}  // namespace mien::house
