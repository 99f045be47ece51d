// Data sets whose file names say everything: RAVDESS (Livingstone and Russo, PLoS ONE 2018) and
// CREMA-D (Cao et al., IEEE TAFFC 2014).
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// Deep enough for <data set>/<archive>/Actor_01/<clip>.
constexpr int kMaxDepth = 4;
// format_of_names() looks at so many files before it gives up.
constexpr std::size_t kProbedEntries = 20000;

// One recording, by its name.
struct Take {
  std::string actor;
  int label = 0;
  int fold = 1;
  bool wanted = true;  // false: of another kind than we read, left out
  std::string twin;    // takes with the same are the same pictures; the least rank is kept
  int rank = 0;
};

// Nothing for a name of another pattern; an error for one of this pattern with numbers that it
// cannot have.
using ReadName = Result<std::optional<Take>> (*)(const std::string& name);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

Error bad_name(const std::string& name, const std::string& field) {
  return make_error(ErrorCode::kBadFormat, in_quotes(name) + " has no possible " + field);
}

// The seven two-digit fields of "02-01-06-01-02-01-12".
std::optional<std::array<int, 7>> ravdess_fields(const std::string& name) {
  std::array<int, 7> fields = {};
  if (name.size() != 3 * fields.size() - 1) return std::nullopt;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t at = 3 * i;
    if (!is_digit(name[at]) || !is_digit(name[at + 1])) return std::nullopt;
    if (at + 2 < name.size() && name[at + 2] != '-') return std::nullopt;
    fields[i] = 10 * (name[at] - '0') + (name[at + 1] - '0');
  }
  return fields;
}

// Women (even numbers) are dealt from the first fold on, men from the last: that keeps the folds at
// four or five actors with two or three of each.
int ravdess_fold(int actor) {
  const int rank = (actor - 1) / 2 % kFolds;
  return actor % 2 == 0 ? 1 + rank : kFolds - rank;
}

Result<std::optional<Take>> ravdess_take(const std::string& name) {
  struct Field {
    const char* what;
    int most;
  };
  constexpr std::array<Field, 7> kKnown = {{{"modality", 3},
                                            {"vocal channel", 2},
                                            {"emotion", 8},
                                            {"intensity", 2},
                                            {"statement", 2},
                                            {"repetition", 2},
                                            {"actor", 24}}};
  const auto fields = ravdess_fields(name);
  if (!fields) return std::optional<Take>();
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    if ((*fields)[i] < 1 || (*fields)[i] > kKnown[i].most) return bad_name(name, kKnown[i].what);
  }
  const int modality = (*fields)[0];
  const int vocal_channel = (*fields)[1];
  Take take;
  take.actor = name.substr(name.size() - 2);
  take.label = (*fields)[2] - 1;  // the label set is in the order of the numbers, from 1
  take.fold = ravdess_fold((*fields)[6]);
  take.wanted = vocal_channel == 1;  // speech; the songs lack three of the emotions
  // 02 is the video without sound, 01 the same with it; 03, sound alone, can only be a misnomer.
  take.twin = name.substr(3);
  take.rank = modality == 2 ? 0 : modality;
  return std::optional<Take>(std::move(take));
}

// "1001_DFA_ANG_XX", also "1040_ITH_SAD_X", the one odd name of the data set.
bool has_crema_d_form(const std::string& name) {
  if (name.size() != 15 && name.size() != 14) return false;
  const auto all = [&](std::size_t from, std::size_t to, bool (*test)(char)) {
    return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(from),
                       name.begin() + static_cast<std::ptrdiff_t>(to), test);
  };
  return all(0, 4, is_digit) && name[4] == '_' && all(5, 8, is_capital) && name[8] == '_' &&
         all(9, 12, is_capital) && name[12] == '_' && all(13, name.size(), is_capital);
}

Result<std::optional<Take>> crema_d_take(const std::string& name) {
  // In the order of the label set.
  constexpr std::array<const char*, 6> kEmotions = {"ANG", "DIS", "FEA", "HAP", "NEU", "SAD"};
  constexpr std::array<const char*, 5> kIntensities = {"LO", "MD", "HI", "XX", "X"};
  constexpr int kFirstActor = 1001;
  constexpr int kLastActor = 1091;
  if (!has_crema_d_form(name)) return std::optional<Take>();
  const auto emotion = std::find(kEmotions.begin(), kEmotions.end(), name.substr(9, 3));
  if (emotion == kEmotions.end()) return bad_name(name, "emotion");
  if (std::find(kIntensities.begin(), kIntensities.end(), name.substr(13)) == kIntensities.end()) {
    return bad_name(name, "intensity");
  }
  Take take;
  take.actor = name.substr(0, 4);
  MIEN_ASSIGN(const int actor, parse_index(take.actor));
  if (actor < kFirstActor || actor > kLastActor) return bad_name(name, "actor");
  take.label = static_cast<int>(emotion - kEmotions.begin());
  take.fold = 1 + (actor - kFirstActor) % kFolds;
  take.twin = name;
  return std::optional<Take>(std::move(take));
}

// Calls visit(name without ending, path) for every folder and video file below `root`, in no
// particular order, and does not go into folders for which it returns kTaken.
enum class Visit { kPassed, kTaken, kStop };

template <typename Visitor>
Status walk(const std::string& root, Visitor visit) {
  std::error_code code;
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, code);
  for (fs::recursive_directory_iterator end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    const fs::path path = it->path();
    const bool folder = it->is_directory(ignored);
    if (!folder && !has_video_name(path.string())) continue;
    const Visit answer = visit(folder ? path.filename().string() : path.stem().string(), path);
    if (answer == Visit::kStop) return {};
    if (folder && (answer == Visit::kTaken || it.depth() >= kMaxDepth)) {
      it.disable_recursion_pending();
    }
  }
  if (!code) return {};
  const bool absent = code == std::errc::no_such_file_or_directory;
  return make_error(absent ? ErrorCode::kNotFound : ErrorCode::kIo, code.message(), root);
}

struct Found {
  std::string id;
  std::string path;
  Take take;
};

// The takes below `root`, the best of each set of twins, sorted by id.
Result<std::vector<Found>> find_takes(const std::string& root, ReadName read_name) {
  std::map<std::string, Found> best;
  std::optional<Error> failure;
  const auto visit = [&](const std::string& name, const fs::path& path) {
    Result<std::optional<Take>> take = read_name(name);
    if (!take.ok()) {
      failure = take.error().within(path.string());
      return Visit::kStop;
    }
    if (!*take) return Visit::kPassed;
    if (!(*take)->wanted) return Visit::kTaken;
    Found found{name, path.string(), *std::move(*take)};
    const auto [at, is_new] = best.try_emplace(found.take.twin, found);
    if (is_new) return Visit::kTaken;
    if (at->second.id == name) {
      const auto [first, second] = std::minmax(at->second.path, found.path);
      failure = make_error(
          ErrorCode::kBadFormat,
          "clip " + in_quotes(name) + " is there twice: " + first + " and " + second, root);
      return Visit::kStop;
    }
    if (found.take.rank < at->second.take.rank) at->second = std::move(found);
    return Visit::kTaken;
  };
  MIEN_TRY(walk(root, visit));
  if (failure) return *failure;
  std::vector<Found> takes;
  takes.reserve(best.size());
  for (auto& [twin, found] : best) takes.push_back(std::move(found));
  std::sort(takes.begin(), takes.end(), [](const Found& a, const Found& b) { return a.id < b.id; });
  return takes;
}

// `data_set`: of core::find_label_set.
Result<ClipList> read_named_clips(const ClipSource& source, const std::string& data_set,
                                  ReadName read_name, const std::string& pattern) {
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set(data_set));
  const bool all = source.split == "all";
  std::string part;
  if (!all) {
    MIEN_ASSIGN(part, list_part(source));
    MIEN_TRY(check_fold(source));
  }
  if (!source.annotation.empty()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "this data set has no list files; a manifest (format manifest) may name any "
                      "part of it",
                      source.annotation);
  }
  MIEN_ASSIGN(const std::vector<Found> takes, find_takes(source.path, read_name));
  if (takes.empty()) {
    return make_error(ErrorCode::kNotFound, "has no clip named like " + pattern, source.path);
  }
  ClipListBuilder list(source.path, labels.classes);
  for (const Found& found : takes) {
    const bool tests = found.take.fold == source.fold;
    if (!all && tests != (part == "test")) continue;
    ClipEntry entry;
    entry.id = found.id;
    entry.path = found.path;
    entry.label = found.take.label;
    entry.group = found.take.actor;
    MIEN_TRY(list.add(std::move(entry)));
  }
  return list.finish("has no clip in the " + source.split + " part of fold " +
                     std::to_string(source.fold));
}

}  // namespace

Result<ClipList> read_ravdess_clips(const ClipSource& source) {
  return read_named_clips(source, "ravdess", ravdess_take, "02-01-06-01-02-01-12.mp4");
}

Result<ClipList> read_crema_d_clips(const ClipSource& source) {
  return read_named_clips(source, "crema-d", crema_d_take, "1001_DFA_ANG_XX.flv");
}

std::string format_of_names(const std::string& root) {
  std::string format;
  std::size_t seen = 0;
  const auto visit = [&](const std::string& name, const fs::path&) {
    if (ravdess_fields(name)) format = "ravdess";
    if (has_crema_d_form(name)) format = "crema-d";
    return !format.empty() || ++seen >= kProbedEntries ? Visit::kStop : Visit::kPassed;
  };
  const Status walked = walk(root, visit);
  return walked.ok() ? format : "";
}

}  // namespace mien::learn
