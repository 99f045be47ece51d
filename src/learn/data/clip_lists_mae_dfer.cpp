// The lists of MAE-DFER, SVFAP and VideoMAE: "absolute folder, blank, label", no header.
#include <algorithm>
#include <filesystem>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// So many rows are tried to find out where the folders of a list are on this machine.
constexpr std::size_t kProbedRows = 100;

std::vector<std::string> list_candidates(const ClipSource& source, const std::string& data_set,
                                         const std::string& part) {
  const std::string split = "split0" + std::to_string(source.fold) + "/";
  std::vector<std::string> folders = {split};
  if (data_set == "dfew") folders = {"org/" + split, split};
  if (data_set == "mafw") folders = {"single/" + split, split};
  if (data_set == "ferv39k") folders = {"all_scenes/"};
  folders.emplace_back();
  std::vector<std::string> names;
  for (const std::string& folder : folders) {
    if (source.split == "valid" || source.split == "val") names.push_back(folder + "val.csv");
    names.push_back(folder + part + ".csv");
  }
  return names;
}

std::vector<std::string> components_of(const std::string& path) {
  std::vector<std::string> out;
  for (const fs::path& part : fs::path(path).relative_path().lexically_normal()) {
    if (!part.empty()) out.push_back(part.string());
  }
  return out;
}

// The last `count` names of a path, joined by '/'; the whole of it when there are fewer.
std::string tail_of(const std::string& path, std::size_t count) {
  const std::vector<std::string> parts = components_of(path);
  std::string out;
  for (std::size_t i = parts.size() - std::min(count, parts.size()); i < parts.size(); ++i) {
    out += (out.empty() ? "" : "/") + parts[i];
  }
  return out;
}

std::string below(const std::string& root, const std::string& id) {
  const fs::path path = fs::path(root) / id;
  return locate_clip(path.parent_path().string(), path.filename().string());
}

// The lists name folders of the machine on which they were made. Finds how many of the last names
// of each folder lead to it from `root`, most first: 0 when the folders are there as written, or
// nowhere.
//
//   root    data/DFEW
//   listed  /elsewhere/DFEW/Clip/jpg_256/02522
//   found   data/DFEW/Clip/jpg_256/02522, the root and the last 3 names
std::size_t names_below_root(const std::vector<ListRow>& rows, const std::string& root) {
  const std::size_t probed = std::min(rows.size(), kProbedRows);
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(probed);
  const auto as_written = [](const ListRow& row) { return path_exists(below("", row.id)); };
  if (probed == 0 || std::any_of(rows.begin(), end, as_written)) return 0;
  for (std::size_t count = components_of(rows[0].id).size(); count > 0; --count) {
    const auto found = [&](const ListRow& row) {
      return path_exists(below(root, tail_of(row.id, count)));
    };
    if (std::any_of(rows.begin(), end, found)) return count;
  }
  return 0;
}

// FERV39k's folders tell the emotion, so that a list in another order of classes shows.
Status check_emotion(const ListRow& row, int label, const core::LabelSet& classes) {
  const std::vector<std::string> parts = components_of(row.id);
  if (parts.size() < 2) return {};
  const auto of_folder = classes.index_of(parts[parts.size() - 2]);
  if (!of_folder || static_cast<int>(*of_folder) == label) return {};
  return make_error(ErrorCode::kBadFormat, "label " + in_quotes(row.label) + " means " +
                                               classes.classes[static_cast<std::size_t>(label)] +
                                               " in the order of MAE-DFER, but the folder is " +
                                               parts[parts.size() - 2] +
                                               "; the alphabetical order is format ferv39k");
}

}  // namespace

Result<ClipList> read_mae_dfer_clips(const ClipSource& source, const std::string& data_set) {
  MIEN_ASSIGN(const core::LabelSet classes, core::find_label_set(data_set + "-mae-dfer"));
  MIEN_ASSIGN(const std::string part, list_part(source));
  if (data_set != "ferv39k") {
    MIEN_TRY(check_fold(source));
  }
  MIEN_ASSIGN(const std::string path, find_list(source, list_candidates(source, data_set, part)));
  MIEN_ASSIGN(const std::string text, read_list_text(path));
  MIEN_ASSIGN(const std::vector<ListRow> rows, word_rows(text, path));
  const bool emotions = data_set == "ferv39k";
  const std::size_t moved = names_below_root(rows, source.path);
  ClipListBuilder list(path, classes.classes);
  for (const ListRow& row : rows) {
    const Result<int> label = class_of(row.label, classes);
    if (!label.ok()) return label.error().within(path + ": " + row.id);
    if (emotions) {
      const Status same = check_emotion(row, *label, classes);
      if (!same.ok()) return same.error().within(path + ": " + row.id);
    }
    ClipEntry entry;
    entry.id = tail_of(row.id, emotions ? 3 : 1);
    entry.path = moved > 0 ? below(source.path, tail_of(row.id, moved)) : below("", row.id);
    entry.label = *label;
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish();
}

}  // namespace mien::learn
