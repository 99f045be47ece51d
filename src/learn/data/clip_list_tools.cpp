#include "learn/data/clip_list_tools.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "core/files.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Containers in which the data sets and their converted copies come.
constexpr std::array<std::string_view, 11> kVideoEndings = {
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".flv", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts"};

// As media::has_image_extension, which a build without media does not have.
constexpr std::array<std::string_view, 7> kPictureEndings = {".jpg",  ".jpeg", ".png", ".bmp",
                                                             ".webp", ".ppm",  ".pgm"};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<ListRow> split_line(std::string_view line) {
  std::string_view id;
  std::string_view label;
  const std::size_t tab = line.find('\t');
  if (tab != std::string_view::npos) {
    const std::string_view rest = line.substr(tab + 1);
    id = trimmed(line.substr(0, tab));
    label = trimmed(rest.substr(0, rest.find('\t')));
  } else {
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    id = trimmed(line.substr(0, blank));
    label = line.substr(blank + 1);
  }
  if (id.empty() || label.empty()) return std::nullopt;
  return ListRow{std::string(id), std::string(label)};
}

bool ends_with_one_of(std::string_view path, std::span<const std::string_view> endings) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string ending(path.substr(dot));
  for (char& c : ending) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Error no_clips(const std::string& path) {
  return make_error(ErrorCode::kBadFormat, "lists no clips", path);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

Result<std::string> read_list_text(const std::string& path) {
  MIEN_ASSIGN(std::string text, core::read_text_file(path, core::kMaxCsvBytes));
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

Result<std::vector<ListRow>> csv_rows(const std::string& text, const std::string& path,
                                      const std::string& id_column,
                                      const std::vector<std::string>& label_columns) {
  MIEN_ASSIGN(const core::CsvTable table, core::parse_csv(text, path));
  MIEN_ASSIGN(const std::size_t id, table.header.column(id_column));
  for (const std::string& name : label_columns) {
    if (!table.header.has(name)) continue;
    MIEN_ASSIGN(const std::size_t label, table.header.column(name));
    if (table.rows.empty()) return no_clips(path);
    std::vector<ListRow> rows;
    rows.reserve(table.rows.size());
    for (const core::CsvRecord& row : table.rows) rows.push_back({row[id], row[label]});
    return rows;
  }
  return make_error(ErrorCode::kBadFormat, "has no column " + joined(label_columns), path);
}

Result<std::vector<ListRow>> word_rows(const std::string& text, const std::string& path) {
  std::vector<ListRow> rows;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    std::optional<ListRow> row = split_line(line);
    if (!row) {
      return make_error(
          ErrorCode::kBadFormat,
          "line " + std::to_string(number) + " is not a clip and its label: " + in_quotes(line),
          path);
    }
    rows.push_back(*std::move(row));
  }
  if (rows.empty()) return no_clips(path);
  return rows;
}

Result<int> parse_index(const std::string& word) {
  const auto value = core::integer_in(word, 0, std::numeric_limits<int>::max());
  if (!value) {
    return make_error(ErrorCode::kBadFormat,
                      "label " + in_quotes(word) + " is not a number from 0");
  }
  return static_cast<int>(*value);
}

Result<int> class_of(const std::string& word, const core::LabelSet& labels) {
  if (const auto index = labels.index_of(word)) return static_cast<int>(*index);
  if (!all_digits(word)) {
    return make_error(ErrorCode::kBadFormat,
                      "label " + in_quotes(word) + " is none of " + joined(labels.classes));
  }
  const Result<int> index = parse_index(word);
  if (!index.ok() || *index >= static_cast<int>(labels.size())) {
    return make_error(ErrorCode::kBadFormat, "label " + in_quotes(word) + " is outside 0.." +
                                                 std::to_string(labels.size() - 1));
  }
  return *index;
}

bool is_number_id(std::string_view id) {
  return id.size() <= 8 && all_digits(id);
}

Result<std::string> list_part(const ClipSource& source) {
  if (source.split == "train") return std::string("train");
  if (source.split == "test" || source.split == "valid" || source.split == "val") {
    return std::string("test");
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "no split " + in_quotes(source.split) + "; there are train, valid and test",
                    source.path);
}

Status check_fold(const ClipSource& source) {
  if (source.fold >= 1 && source.fold <= kFolds) return {};
  return make_error(ErrorCode::kInvalidArgument,
                    "fold " + std::to_string(source.fold) + " is outside 1..5", source.path);
}

Result<std::string> find_list(const ClipSource& source,
                              const std::vector<std::string>& candidates) {
  if (!source.annotation.empty()) return source.annotation;
  for (const std::string& name : candidates) {
    const fs::path path = fs::path(source.path) / name;
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return make_error(ErrorCode::kNotFound, "has no list; looked for " + joined(candidates),
                    source.path);
}

std::string clip_folder(const std::string& root, const std::vector<std::string>& names,
                        const std::string& example) {
  for (const std::string& name : names) {
    const std::string folder = (fs::path(root) / name).string();
    if (path_exists(folder)) return folder;
  }
  if (path_exists(locate_clip(root, example))) return root;
  return (fs::path(root) / names.front()).string();
}

std::string locate_clip(const std::string& folder, const std::string& id) {
  const std::string plain = (fs::path(folder) / id).string();
  if (path_exists(plain)) return plain;
  for (const std::string_view ending : kVideoEndings) {
    const std::string video = plain + std::string(ending);
    if (path_exists(video)) return video;
  }
  return plain;
}

bool has_video_name(std::string_view path) {
  return ends_with_one_of(path, kVideoEndings);
}

bool has_picture_name(std::string_view path) {
  return ends_with_one_of(path, kPictureEndings);
}

bool path_exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

ClipListBuilder::ClipListBuilder(std::string context, std::vector<std::string> classes)
    : context_(std::move(context)) {
  list_.classes = std::move(classes);
}

Status ClipListBuilder::add(ClipEntry entry) {
  if (entry.id.empty()) return make_error(ErrorCode::kBadFormat, "a clip without a name", context_);
  if (entry.label < 0 || entry.label >= static_cast<int>(list_.classes.size())) {
    return make_error(ErrorCode::kBadFormat,
                      "clip " + in_quotes(entry.id) + ": label " + std::to_string(entry.label) +
                          " is outside 0.." + std::to_string(list_.classes.size() - 1),
                      context_);
  }
  const auto [at, is_new] = seen_.emplace(entry.id, list_.clips.size());
  if (!is_new) {
    const std::string& before = list_.clips[at->second].path;
    return make_error(ErrorCode::kBadFormat,
                      "clip " + in_quotes(entry.id) + " is there twice" +
                          (before == entry.path ? "" : ": " + before + " and " + entry.path),
                      context_);
  }
  list_.clips.push_back(std::move(entry));
  return {};
}

Result<ClipList> ClipListBuilder::finish(const std::string& when_empty) {
  if (list_.clips.empty()) return make_error(ErrorCode::kBadFormat, when_empty, context_);
  return std::move(list_);
}

}  // namespace mien::learn
