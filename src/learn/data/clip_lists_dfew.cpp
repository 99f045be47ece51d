// DFEW (Jiang et al., ACM MM 2020): five folds, ids of five digits, two numberings of the labels.
#include <algorithm>
#include <filesystem>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

constexpr std::size_t kIdDigits = 5;

// S2D's copies of the lists and those of the authors lie in the same folders under other names.
std::vector<std::string> list_candidates(const std::string& part, int fold) {
  const std::string k = std::to_string(fold);
  const std::string folder = "EmoLabel_DataSplit/" + part + "(single-labeled)/";
  const std::string s2d = part + "_set_" + k + ".csv";
  return {folder + s2d, folder + "set_" + k + ".csv", "EmoLabel_DataSplit/" + s2d, s2d};
}

std::vector<std::string> clip_folders(bool full_length) {
  // jpg_256: clip_224x224 in MAE-DFER's copy of the data.
  if (!full_length) {
    return {"Clip/clip_224x224_16f", "Clip/jpg_256", "Clip/clip_224x224", "Clip/clip_224x224_avi",
            "Clip/original"};
  }
  return {"Clip/jpg_256", "Clip/clip_224x224", "Clip/clip_224x224_avi", "Clip/original"};
}

// The number of the first class in a list: 0 in those of S2D, 1 in those of the authors. Every
// complete list has all seven labels and so tells by itself; a part of one goes by its name.
Result<int> first_number(const std::vector<int>& labels, const std::string& path) {
  const bool has_zero = std::find(labels.begin(), labels.end(), 0) != labels.end();
  const bool has_seven = std::find(labels.begin(), labels.end(), 7) != labels.end();
  if (has_zero && has_seven) {
    return make_error(ErrorCode::kBadFormat,
                      "has labels 0 and 7: counted neither from 0 (S2D) nor from 1 (DFEW)", path);
  }
  if (has_zero) return 0;
  if (has_seven) return 1;
  const std::string name = std::filesystem::path(path).filename().string();
  const auto contains = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (contains("train_set_") || contains("test_set_")) return 0;
  if (name.starts_with("set_") || contains("single_trainset") || contains("single_testset")) {
    return 1;
  }
  return make_error(ErrorCode::kBadFormat,
                    "does not tell whether its labels count from 0 or 1; call it train_set_K.csv "
                    "(from 0, as S2D) or set_K.csv (from 1, as DFEW)",
                    path);
}

Result<std::vector<int>> read_labels(const std::vector<ListRow>& rows, const std::string& path) {
  std::vector<int> labels;
  labels.reserve(rows.size());
  for (const ListRow& row : rows) {
    const Result<int> label = parse_index(row.label);
    if (!label.ok()) return label.error().within(path + ": " + row.id);
    labels.push_back(*label);
  }
  MIEN_ASSIGN(const int first, first_number(labels, path));
  for (int& label : labels) label -= first;
  return labels;
}

// The authors' lists may have lost the leading zeros of the folders' names.
std::string padded(const std::string& id) {
  return id.size() >= kIdDigits ? id : std::string(kIdDigits - id.size(), '0') + id;
}

// Videos of the full length may be called by the bare number.
std::string locate_dfew(const std::string& folder, const std::string& id) {
  std::string path = locate_clip(folder, id);
  const std::size_t digit = id.find_first_not_of('0');
  if (digit == 0 || digit == std::string::npos || path_exists(path)) return path;
  std::string bare = locate_clip(folder, id.substr(digit));
  return path_exists(bare) ? bare : path;
}

}  // namespace

Result<ClipList> read_dfew_clips(const ClipSource& source, bool full_length) {
  MIEN_ASSIGN(const std::string part, list_part(source));
  MIEN_TRY(check_fold(source));
  MIEN_ASSIGN(const std::string path, find_list(source, list_candidates(part, source.fold)));
  MIEN_ASSIGN(const std::string text, read_list_text(path));
  MIEN_ASSIGN(const std::vector<ListRow> rows, csv_rows(text, path, "video_name", {"label"}));
  MIEN_ASSIGN(const core::LabelSet classes, core::find_label_set("dfew"));
  for (const ListRow& row : rows) {
    if (is_number_id(row.id)) continue;
    return make_error(ErrorCode::kBadFormat, "clip " + in_quotes(row.id) + " is not a number",
                      path);
  }
  MIEN_ASSIGN(const std::vector<int> labels, read_labels(rows, path));
  const std::string folder =
      clip_folder(source.path, clip_folders(full_length), padded(rows[0].id));
  ClipListBuilder list(path, classes.classes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ClipEntry entry;
    entry.id = padded(rows[i].id);
    entry.path = locate_dfew(folder, entry.id);
    entry.label = labels[i];
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish();
}

}  // namespace mien::learn
