// Private to learn/data: what the readers of clip lists share, and the readers themselves.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/csv.h"
#include "core/labels.h"
#include "learn/data/clip_lists.h"

namespace mien::learn {

// Folds of every data set that has any.
inline constexpr int kFolds = 5;

// One reader per layout; read_clip_list chooses.
Result<ClipList> read_dfew_clips(const ClipSource& source, bool full_length);
Result<ClipList> read_ferv39k_clips(const ClipSource& source);
Result<ClipList> read_mafw_clips(const ClipSource& source);
Result<ClipList> read_mae_dfer_clips(const ClipSource& source, const std::string& data_set);
Result<ClipList> read_ravdess_clips(const ClipSource& source);
Result<ClipList> read_crema_d_clips(const ClipSource& source);
Result<ClipList> read_manifest_clips(const ClipSource& source);

// "ravdess" or "crema-d" when files or folders below `root` are named as theirs, else "".
std::string format_of_names(const std::string& root);

// A file of a list as text, without a byte order mark. Errors as core::read_text_file, with
// core::kMaxCsvBytes as limit.
Result<std::string> read_list_text(const std::string& path);

// One row of a list, both as written.
struct ListRow {
  std::string id;
  std::string label;
};

// Rows of a CSV with a header that has `id_column` and one of `label_columns`; at least one. Errors
// as core::parse_csv, and kBadFormat for a missing column and when there is no row.
Result<std::vector<ListRow>> csv_rows(const std::string& text, const std::string& path,
                                      const std::string& id_column,
                                      const std::vector<std::string>& label_columns);

// Rows without a header: the first two of the fields between tabs, or, in a line without tabs, what
// stands before and behind its last blank; at least one. Blank lines are skipped. Errors kBadFormat
// with the line's number, and when there is no row.
Result<std::vector<ListRow>> word_rows(const std::string& text, const std::string& path);

// A whole field as a number from 0; error kBadFormat quotes the field.
Result<int> parse_index(const std::string& word);

// The class that a field names, or whose index (from 0) it is. Error kBadFormat.
Result<int> class_of(const std::string& word, const core::LabelSet& labels);

using core::in_quotes;

// True for ids that are numbers of 1 to 8 digits.
bool is_number_id(std::string_view id);

// "train" or "test"; error kInvalidArgument for a split that the papers' lists do not have.
Result<std::string> list_part(const ClipSource& source);

// Error kInvalidArgument outside 1..kFolds.
Status check_fold(const ClipSource& source);

// The list to read: source.annotation, or the first of `candidates` (relative to the root) that is
// a file. Error kNotFound names them all.
Result<std::string> find_list(const ClipSource& source, const std::vector<std::string>& candidates);

// The folder that holds the clips: the first of `names` (relative to the root) that exists; else
// the root itself when clip `example` lies there; else the first name, which then is what is
// missing.
std::string clip_folder(const std::string& root, const std::vector<std::string>& names,
                        const std::string& example);

// Where clip `id` lies in `folder`: folder/id, or the video file of that name; folder/id when there
// is neither.
std::string locate_clip(const std::string& folder, const std::string& id);

// By the end of a file's name.
bool has_video_name(std::string_view path);
bool has_picture_name(std::string_view path);

bool path_exists(const std::string& path);

// A list in the making: holds what must be true of every list.
class ClipListBuilder {
 public:
  // `context`: the list file (or root), for errors.
  ClipListBuilder(std::string context, std::vector<std::string> classes);

  // Errors kBadFormat: an empty id, a label outside the classes, an id that is there already.
  Status add(ClipEntry entry);

  // Error kBadFormat with `when_empty` as message when no clip was added. Call once, at the end.
  Result<ClipList> finish(const std::string& when_empty = "lists no clips");

 private:
  std::string context_;
  ClipList list_;
  std::unordered_map<std::string, std::size_t> seen_;  // id -> index of its clip
};

}  // namespace mien::learn
