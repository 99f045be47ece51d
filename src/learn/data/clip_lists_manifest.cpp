// manifest.csv: anybody's clips.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// A label column of numbers makes as many classes as its largest one says.
constexpr int kMaxNumberedClasses = 1000;

// Where the columns are; the optional ones may be nowhere.
struct Columns {
  std::size_t path = 0;
  std::size_t label = 0;
  std::optional<std::size_t> start_s, end_s, group, split;
};

// Nothing when there is none of that name.
Result<std::optional<std::size_t>> optional_column(const core::CsvHeader& header,
                                                   const char* name) {
  if (!header.has(name)) return std::optional<std::size_t>();
  MIEN_ASSIGN(const std::size_t column, header.column(name));
  return std::optional<std::size_t>(column);
}

Result<Columns> find_columns(const core::CsvHeader& header) {
  Columns columns;
  MIEN_ASSIGN(columns.path, header.column("path"));
  MIEN_ASSIGN(columns.label, header.column("label"));
  MIEN_ASSIGN(columns.start_s, optional_column(header, "start_s"));
  MIEN_ASSIGN(columns.end_s, optional_column(header, "end_s"));
  MIEN_ASSIGN(columns.group, optional_column(header, "group"));
  MIEN_ASSIGN(columns.split, optional_column(header, "split"));
  return columns;
}

std::string split_name(const std::string& split) {
  return split == "val" ? "valid" : split;
}

Result<std::string> find_manifest(const ClipSource& source) {
  std::error_code ignored;
  if (source.annotation.empty() && fs::is_regular_file(source.path, ignored)) return source.path;
  const std::string split = split_name(source.split);
  std::vector<std::string> names = {"manifest_" + split + ".csv"};
  if (split == "valid") names.emplace_back("manifest_test.csv");
  names.emplace_back("manifest.csv");
  return find_list(source, names);
}

// classes.txt beside the manifest: one name a line, in the order of the labels.
Result<std::vector<std::string>> listed_classes(const std::string& path) {
  MIEN_ASSIGN(const std::string text, read_list_text(path));
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string name = text.substr(at, end - at);
    at = end + 1;
    if (!name.empty() && name.back() == '\r') name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

// The classes that the labels themselves make: all of them numbers, or names in their order.
Result<std::vector<std::string>> classes_of_labels(const core::CsvTable& table,
                                                   std::size_t column) {
  std::vector<std::string> names;
  int largest = -1;
  std::size_t numbers = 0;
  for (const core::CsvRecord& row : table.rows) {
    const Result<int> number = parse_index(row[column]);
    if (number.ok()) {
      ++numbers;
      largest = std::max(largest, *number);
    } else {
      names.push_back(core::label_or_itself(row[column]));
    }
  }
  if (numbers > 0 && !names.empty()) {
    return make_error(ErrorCode::kBadFormat,
                      "has labels that are numbers and labels that are names; classes.txt beside "
                      "it would tell what the numbers mean");
  }
  if (largest >= kMaxNumberedClasses) {
    return make_error(ErrorCode::kLimit, "has label " + std::to_string(largest) +
                                             "; there may be " +
                                             std::to_string(kMaxNumberedClasses) + " classes");
  }
  for (int i = 0; i <= largest; ++i) names.push_back(std::to_string(i));
  if (numbers == 0) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  return names;
}

Result<core::LabelSet> find_classes(const core::CsvTable& table, std::size_t column,
                                    const std::string& manifest) {
  const std::string path = (fs::path(manifest).parent_path() / "classes.txt").string();
  if (path_exists(path)) {
    MIEN_ASSIGN(const std::vector<std::string> names, listed_classes(path));
    Result<core::LabelSet> set = core::make_label_set("manifest", names);
    if (!set.ok()) return set.error().within(path);
    return set;
  }
  const Result<std::vector<std::string>> names = classes_of_labels(table, column);
  if (!names.ok()) return names.error().within(manifest);
  Result<core::LabelSet> set = core::make_label_set("manifest", *names);
  if (!set.ok()) return set.error().within(manifest);
  return set;
}

// The split whose rows count; nothing when all do.
std::optional<std::string> wanted_split(const ClipSource& source, const core::CsvTable& table,
                                        const Columns& columns) {
  if (!columns.split || source.split == "all") return std::nullopt;
  const std::string wanted = split_name(source.split);
  const auto has = [&](const std::string& split) {
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const core::CsvRecord& row) {
      return split_name(row[*columns.split]) == split;
    });
  };
  if (wanted == "valid" && !has(wanted)) return "test";
  return wanted;
}

// What stands in a column, "" where there is no such column.
std::string field_of(const core::CsvRecord& row, std::optional<std::size_t> column) {
  return column ? row[*column] : std::string();
}

// A time in seconds, or `absent` for an empty field.
Result<double> read_time(const core::CsvHeader& header, const core::CsvRecord& row,
                         std::optional<std::size_t> column, double absent) {
  if (field_of(row, column).empty()) return absent;
  const std::optional<double> value = core::finite_in(row[*column]);
  if (!value) return header.error(row, *column, in_quotes(row[*column]) + " is not a number");
  return *value;
}

Result<ClipEntry> read_entry(const core::CsvHeader& header, const core::CsvRecord& row,
                             const Columns& columns, const core::LabelSet& classes) {
  ClipEntry entry;
  entry.id = row[columns.path];
  if (entry.id.empty()) return header.error(row, columns.path, "a clip without a path");
  entry.path = (fs::path(header.source()).parent_path() / entry.id).string();
  const Result<int> label = class_of(row[columns.label], classes);
  if (!label.ok()) return header.error(row, columns.label, label.error().message);
  entry.label = *label;
  entry.group = field_of(row, columns.group);
  const std::string start = field_of(row, columns.start_s);
  const std::string end = field_of(row, columns.end_s);
  MIEN_ASSIGN(entry.start_s, read_time(header, row, columns.start_s, 0.0));
  MIEN_ASSIGN(entry.end_s, read_time(header, row, columns.end_s, -1.0));
  if (entry.start_s < 0.0) return header.error(row, "the clip starts before 0 s");
  if (entry.end_s >= 0.0 && entry.end_s <= entry.start_s) {
    return header.error(row, "the clip ends at " + end + " s, not after its start");
  }
  if (!start.empty() || !end.empty()) entry.id += "@" + start + "-" + end;
  return entry;
}

}  // namespace

Result<ClipList> read_manifest_clips(const ClipSource& source) {
  if (source.split != "all") {
    MIEN_TRY(list_part(source));
  }
  MIEN_ASSIGN(const std::string path, find_manifest(source));
  MIEN_ASSIGN(const core::CsvTable table, core::read_csv(path));
  MIEN_ASSIGN(const Columns columns, find_columns(table.header));
  if (table.rows.empty()) return make_error(ErrorCode::kBadFormat, "lists no clips", path);
  // Of all rows, so that every split has the same classes.
  MIEN_ASSIGN(const core::LabelSet classes, find_classes(table, columns.label, path));
  const std::optional<std::string> split = wanted_split(source, table, columns);
  ClipListBuilder list(path, classes.classes);
  for (const core::CsvRecord& row : table.rows) {
    if (split && split_name(row[*columns.split]) != *split) continue;
    MIEN_ASSIGN(ClipEntry entry, read_entry(table.header, row, columns, classes));
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish("lists no clips of split " + in_quotes(source.split));
}

}  // namespace mien::learn
