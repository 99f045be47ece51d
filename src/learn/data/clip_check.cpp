// Clips that cannot be used, found before training starts.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// The first bytes of a file tell an empty one, and a pointer of Git LFS (its specification, version
// 1), which is what lies in a copy of CREMA-D that was cloned without LFS.
constexpr std::string_view kLfsPointer = "version https://git-lfs";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::optional<std::string> file_problem(const fs::path& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return "cannot be opened: " + std::generic_category().message(errno);
  std::array<char, kLfsPointer.size()> bytes = {};
  const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get()) != 0) return "cannot be read";
  if (count == 0) return "an empty file";
  if (std::string_view(bytes.data(), count) == kLfsPointer) {
    return "a Git LFS pointer, not the file itself (git lfs pull)";
  }
  return std::nullopt;
}

std::optional<std::string> folder_problem(const fs::path& path) {
  std::error_code code;
  std::string first;
  for (fs::directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name.front() == '.' || !has_picture_name(name)) continue;
    if (!it->is_regular_file(ignored)) continue;
    if (first.empty() || name < first) first = name;
  }
  if (code) return "cannot be listed: " + code.message();
  if (first.empty()) return "a folder without pictures";
  const std::optional<std::string> problem = file_problem(path / first);
  if (!problem) return std::nullopt;
  return first + ": " + *problem;
}

// Why the clip cannot be used; nothing when it can.
std::optional<std::string> problem_of(const ClipEntry& clip) {
  std::error_code code;
  const fs::file_status status = fs::status(clip.path, code);
  if (!fs::exists(status)) {
    const bool absent = status.type() == fs::file_type::not_found;
    if (absent) return "no such file or folder";
    return "cannot be reached: " + code.message();
  }
  if (fs::is_directory(status)) return folder_problem(clip.path);
  if (!fs::is_regular_file(status)) return "neither a file nor a folder";
  if (!has_video_name(clip.path) && !has_picture_name(clip.path)) {
    return "neither a video nor a picture by its name";
  }
  return file_problem(clip.path);
}

// Bytes as columns of a table: a character of UTF-8 takes one.
std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t shown = shown_width(text);
  return shown < width ? text + std::string(width - shown, ' ') : text;
}

}  // namespace

ClipCheck check_clips(ClipList& list) {
  ClipCheck check;
  std::vector<ClipEntry> usable;
  usable.reserve(list.clips.size());
  for (ClipEntry& clip : list.clips) {
    std::optional<std::string> reason = problem_of(clip);
    if (reason) {
      check.missing.push_back({clip.id, clip.path, *std::move(reason)});
    } else {
      usable.push_back(std::move(clip));
    }
  }
  list.clips = std::move(usable);
  check.usable = list.clips.size();
  return check;
}

std::string problem_table(const ClipCheck& check, std::size_t max_rows) {
  if (check.missing.empty()) return {};
  const std::size_t total = check.missing.size() + check.usable;
  const std::size_t shown = std::min(max_rows, check.missing.size());
  std::vector<std::array<std::string, 3>> rows;
  rows.push_back({"clip", "reason", "path"});
  for (std::size_t i = 0; i < shown; ++i) {
    const ClipProblem& problem = check.missing[i];
    rows.push_back({printable(problem.id), printable(problem.reason), printable(problem.path)});
  }
  std::array<std::size_t, 2> widths = {};
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], shown_width(row[c]));
    }
  }
  std::string out = std::to_string(check.missing.size()) + " of " + std::to_string(total) +
                    " clips cannot be used:\n";
  for (const auto& row : rows) {
    if (shown == 0) break;
    out +=
        "  " + padded(row[0], widths[0]) + "  " + padded(row[1], widths[1]) + "  " + row[2] + "\n";
  }
  if (shown < check.missing.size()) {
    out += "  and " + std::to_string(check.missing.size() - shown) + " more\n";
  }
  return out + "going on with " + std::to_string(check.usable) + "\n";
}

}  // namespace mien::learn
