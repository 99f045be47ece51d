#include "learn/data/moment_truth.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <utility>

#include "core/csv.h"
#include "core/files.h"
#include "core/labels.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

struct TruthColumns {
  std::size_t clip = 0;
  std::size_t frame = 0;
  std::size_t intensity = 0;
  std::size_t label = 0;
};

// Drawn faces have a truth.csv too, with other columns.
bool is_of_moments(const core::CsvHeader& header) {
  return header.has("clip") && header.has("frame") && header.has("intensity") &&
         header.has("class") && header.has("occluded") && header.has("distractor");
}

Result<TruthColumns> find_columns(const core::CsvHeader& header) {
  TruthColumns columns;
  MIEN_ASSIGN(columns.clip, header.column("clip"));
  MIEN_ASSIGN(columns.frame, header.column("frame"));
  MIEN_ASSIGN(columns.intensity, header.column("intensity"));
  MIEN_ASSIGN(columns.label, header.column("class"));
  return columns;
}

// The class of every clip of the list.
std::map<std::string, std::string> classes_of(const ClipList& list) {
  std::map<std::string, std::string> classes;
  for (const ClipEntry& clip : list.clips) {
    if (clip.label < 0) continue;
    classes[clip.id] = list.classes[static_cast<std::size_t>(clip.label)];
  }
  return classes;
}

// Adds one row to the frames of its clip, which is of class `label`.
Status add_row(const core::CsvHeader& header, const TruthColumns& columns,
               const core::CsvRecord& row, const std::string& label, std::vector<double>& frames) {
  const auto number =
      core::integer_in(row[columns.frame], 0, std::numeric_limits<std::int64_t>::max());
  if (!number || static_cast<std::uint64_t>(*number) != frames.size()) {
    return header.error(row, columns.frame,
                        core::in_quotes(row[columns.frame]) + ", frame " +
                            std::to_string(frames.size()) + " of the clip is next");
  }
  const auto intensity = core::finite_in(row[columns.intensity]);
  if (!intensity || *intensity < 0.0 || *intensity > 1.0) {
    return header.error(row, columns.intensity,
                        core::in_quotes(row[columns.intensity]) + " is not in 0..1");
  }
  const std::string shown = core::label_or_itself(row[columns.label]);
  // A very small intensity is written as 0, and its class is still there.
  const bool fits = shown == label || (shown == kNoMoment && *intensity == 0.0);
  if (!fits) {
    return header.error(row, columns.label,
                        core::in_quotes(shown) + ", the manifest says " + core::in_quotes(label));
  }
  frames.push_back(*intensity);
  return {};
}

std::string path_beside(const ClipSource& source) {
  std::error_code ignored;
  const fs::path path(source.path);
  const fs::path folder = fs::is_regular_file(path, ignored) ? path.parent_path() : path;
  return (folder / "truth.csv").string();
}

}  // namespace

Result<std::optional<MomentTruth>> find_moment_truth(const ClipSource& source,
                                                     const ClipList& list) {
  if (list.format != "manifest" || !source.annotation.empty()) {
    return std::optional<MomentTruth>();
  }
  const std::string path = path_beside(source);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::optional<MomentTruth>();
  MIEN_ASSIGN(const std::string text, core::read_text_file(path));
  MIEN_ASSIGN(core::CsvReader table, core::CsvReader::open(text, path));
  const core::CsvHeader& header = table.header();
  if (!is_of_moments(header)) return std::optional<MomentTruth>();
  MIEN_ASSIGN(const TruthColumns columns, find_columns(header));
  const std::map<std::string, std::string> classes = classes_of(list);
  MomentTruth truth;
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, table.next(row));
    if (!more) break;
    const auto clip = classes.find(row[columns.clip]);
    if (clip == classes.end()) continue;
    MIEN_TRY(add_row(header, columns, row, clip->second, truth[clip->first]));
  }
  for (const auto& clip : classes) {
    if (truth.contains(clip.first)) continue;
    return make_error(ErrorCode::kBadFormat,
                      "has no rows of clip " + core::in_quotes(clip.first) + " of the manifest",
                      path);
  }
  return std::optional<MomentTruth>(std::move(truth));
}

}  // namespace mien::learn
