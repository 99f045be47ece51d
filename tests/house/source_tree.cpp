#include "house/source_tree.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

namespace fs = std::filesystem;

namespace mien::house {

fs::path source_root() {
  return MIEN_SOURCE_DIR;
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    ADD_FAILURE() << "cannot read " << path;
    return {};
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<fs::path> files_below(const std::string& folder,
                                  const std::vector<std::string>& extensions) {
  std::vector<fs::path> files;
  const auto start = source_root() / folder;
  if (!fs::exists(start)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(start)) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension();
    if (!extensions.empty() &&
        std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) {
      continue;
    }
    files.push_back(fs::relative(entry.path(), source_root()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> cpp_files() {
  std::vector<fs::path> all;
  for (const char* folder : {"src", "include", "tests", "bench", "fuzz", "examples"}) {
    for (auto& file : files_below(folder, {".h", ".hpp", ".cpp"})) all.push_back(std::move(file));
  }
  return all;
}

namespace {

// Where the literal that opens at `begin` (a quote) ends: one past its closing quote.
std::size_t literal_end(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[begin] || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

// The same for R"x(...)x", `begin` at its quote.
std::size_t raw_literal_end(std::string_view text, std::size_t begin) {
  const auto open = text.find('(', begin);
  if (open == std::string_view::npos) return text.size();
  const std::string close = ")" + std::string(text.substr(begin + 1, open - begin - 1)) + "\"";
  const auto end = text.find(close, open);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

// A quote between digits, as in 1'000, opens nothing.
bool is_digit_separator(std::string_view text, std::size_t i) {
  return text[i] == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(text[i - 1])) != 0;
}

void blank(std::string& out, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to && i < out.size(); ++i) {
    if (out[i] != '\n') out[i] = ' ';
  }
}

}  // namespace

std::string strip_comments(std::string_view text, bool blank_strings) {
  std::string out(text);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (text.substr(i, 2) == "//") {
      end = std::min(text.find('\n', i), text.size());
      blank(out, i, end);
    } else if (text.substr(i, 2) == "/*") {
      const auto close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
      blank(out, i, end);
    } else if ((text[i] == '"' || text[i] == '\'') && !is_digit_separator(text, i)) {
      const bool raw = text[i] == '"' && i > 0 && text[i - 1] == 'R';
      end = raw ? raw_literal_end(text, i) : literal_end(text, i);
      if (blank_strings) blank(out, i + 1, end - 1);
    }
    i = end;
  }
  return out;
}

CommandResult run_command(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  std::size_t n = 0;
  while ((n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), n);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::string shell_quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace mien::house
