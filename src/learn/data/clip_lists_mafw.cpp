// MAFW (Liu et al., ACM MM 2022), single expressions: five folds, eleven classes.
#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

std::vector<std::string> list_candidates(const std::string& part, int fold) {
  std::vector<std::string> names;
  for (const char* folder : {"anno/single/no_caption/", "Train & Test Set/single/no_caption/",
                             "split/single/no_caption/", "single/no_caption/", ""}) {
    const std::string stem = folder + ("set_" + std::to_string(fold)) + "/" + part;
    names.push_back(stem + ".csv");
    names.push_back(stem + ".txt");
  }
  return names;
}

const std::vector<std::string>& clip_folders() {
  static const std::vector<std::string> kFolders = {"frames_crop_align_224",
                                                    "data/frames_crop_align_224",
                                                    "data/frames",
                                                    "frames",
                                                    "data/clips",
                                                    "clips"};
  return kFolders;
}

// "03747" of "03747.mp4": folders of frames have the bare number.
std::string bare_id(const std::string& id) {
  return has_video_name(id) ? id.substr(0, id.rfind('.')) : id;
}

Result<int> single_label(const std::string& word, const core::LabelSet& classes) {
  if (word.find('_') != std::string::npos) {
    return make_error(ErrorCode::kUnsupported,
                      "has the compound emotion " + in_quotes(word) +
                          "; only the lists of single emotions (single/) are read");
  }
  return class_of(word, classes);
}

}  // namespace

Result<ClipList> read_mafw_clips(const ClipSource& source) {
  MIEN_ASSIGN(const std::string part, list_part(source));
  MIEN_TRY(check_fold(source));
  MIEN_ASSIGN(const std::string path, find_list(source, list_candidates(part, source.fold)));
  MIEN_ASSIGN(const std::string text, read_list_text(path));
  const bool has_header = text.starts_with("video_name,");
  MIEN_ASSIGN(
      const std::vector<ListRow> rows,
      has_header ? csv_rows(text, path, "video_name", {"labels", "label"}) : word_rows(text, path));
  MIEN_ASSIGN(const core::LabelSet classes, core::find_label_set("mafw"));
  const std::string folder = clip_folder(source.path, clip_folders(), bare_id(rows[0].id));
  ClipListBuilder list(path, classes.classes);
  for (const ListRow& row : rows) {
    ClipEntry entry;
    entry.id = bare_id(row.id);
    if (!is_number_id(entry.id)) {
      return make_error(ErrorCode::kBadFormat, "clip " + in_quotes(row.id) + " is not a number",
                        path);
    }
    const Result<int> label = single_label(row.label, classes);
    if (!label.ok()) return label.error().within(path + ": " + row.id);
    entry.path = locate_clip(folder, entry.id);
    entry.label = *label;
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish();
}

}  // namespace mien::learn
