// What the house tests know of the repository: its files, and C++ source without comments.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mien::house {

// The root of the repository under test.
std::filesystem::path source_root();

// The whole file as bytes; a test failure and "" when it cannot be read.
std::string read_text(const std::filesystem::path& path);

// The lines of `text`, without their ends.
std::vector<std::string> lines_of(std::string_view text);

// Files below `folder` (relative to the root) with one of these extensions (".h"; empty: all),
// relative to the root and sorted. A folder that does not exist has no files.
std::vector<std::filesystem::path> files_below(const std::string& folder,
                                               const std::vector<std::string>& extensions);

// Every C++ file of src, include, tests, bench, fuzz and examples.
std::vector<std::filesystem::path> cpp_files();

// C++ text with comments replaced by blanks, and with `blank_strings` the insides of string and
// character literals too; line numbers stay as they were. Raw strings are understood.
std::string strip_comments(std::string_view text, bool blank_strings);

// What a shell command printed (standard output and error) and how it ended.
struct CommandResult {
  int exit_code = -1;
  std::string output;
};
CommandResult run_command(const std::string& command);

// 'text' quoted for the shell.
std::string shell_quote(const std::string& text);

}  // namespace mien::house
