// FERV39k (Wang et al., CVPR 2022): one split, ids Scene/Emotion/NNNN.
#include <optional>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

std::vector<std::string> list_candidates(const std::string& part) {
  return {"Annotation/" + part + ".csv", "4_setups/All_scenes/" + part + "_All.csv",
          part + "_All.csv", part + ".csv"};
}

// "Angry" of "Crime/Angry/0063"; nothing when the id is not three names.
std::optional<std::string> emotion_folder(const std::string& id) {
  const std::size_t first = id.find('/');
  if (first == std::string::npos) return std::nullopt;
  const std::size_t second = id.find('/', first + 1);
  if (second == std::string::npos || id.find('/', second + 1) != std::string::npos) {
    return std::nullopt;
  }
  const std::string scene = id.substr(0, first);
  const std::string emotion = id.substr(first + 1, second - first - 1);
  const std::string clip = id.substr(second + 1);
  if (scene.empty() || emotion.empty() || scene.starts_with('.') || !is_number_id(clip)) {
    return std::nullopt;
  }
  return emotion;
}

Result<int> checked_label(const ListRow& row, const core::LabelSet& classes) {
  const std::optional<std::string> folder = emotion_folder(row.id);
  if (!folder) return make_error(ErrorCode::kBadFormat, "is not Scene/Emotion/NNNN");
  MIEN_ASSIGN(const int label, class_of(row.label, classes));
  const auto of_folder = classes.index_of(*folder);
  if (!of_folder) {
    return make_error(ErrorCode::kBadFormat,
                      "is in no folder of an emotion: " + in_quotes(*folder));
  }
  if (static_cast<int>(*of_folder) != label) {
    return make_error(ErrorCode::kBadFormat,
                      "label " + in_quotes(row.label) + " means " +
                          classes.classes[static_cast<std::size_t>(label)] +
                          " here, but the clip is in folder " + *folder +
                          "; lists of MAE-DFER have another order (format mae-dfer-ferv39k)");
  }
  return label;
}

}  // namespace

Result<ClipList> read_ferv39k_clips(const ClipSource& source) {
  MIEN_ASSIGN(const std::string part, list_part(source));
  MIEN_ASSIGN(const std::string path, find_list(source, list_candidates(part)));
  MIEN_ASSIGN(const std::string text, read_list_text(path));
  // The authors' lists are called .csv too, but have neither header nor commas.
  const bool has_header = text.starts_with("path,");
  MIEN_ASSIGN(const std::vector<ListRow> rows,
              has_header ? csv_rows(text, path, "path", {"id"}) : word_rows(text, path));
  MIEN_ASSIGN(const core::LabelSet classes, core::find_label_set("ferv39k"));
  const std::string folder = clip_folder(source.path, {"2_ClipsforFaceCrop"}, rows[0].id);
  ClipListBuilder list(path, classes.classes);
  for (const ListRow& row : rows) {
    const Result<int> label = checked_label(row, classes);
    if (!label.ok()) return label.error().within(path + ": " + row.id);
    ClipEntry entry;
    entry.id = row.id;
    entry.path = locate_clip(folder, row.id);
    entry.label = *label;
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish();
}

}  // namespace mien::learn
