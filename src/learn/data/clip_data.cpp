#include "learn/data/clip_data.h"

#include <algorithm>
#include <filesystem>

#include "learn/data/clip_cache_writer.h"
#include "learn/data/joined_store.h"
#include "learn/data/moment_store.h"
#include "learn/data/still_clip_store.h"

namespace mien::learn {
namespace {

constexpr std::size_t kTableRows = 20;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// "DFEW_dfew_train_1_112_jpeg.clips": one file per data set, part and form; with "_faces-haar"
// where that detector's faces are cut out. What else can differ is in the cache's fingerprint.
std::string cache_path(const ClipSource& source, const VideoConfig& video,
                       const ClipDataOptions& options, const std::string& face_detector) {
  namespace fs = std::filesystem;
  const fs::path root(source.path);
  const std::string name =
      (root.has_filename() ? root.filename() : root.parent_path().filename()).string();
  const std::string list =
      source.annotation.empty() ? "" : "_" + fs::path(source.annotation).stem().string();
  return video.cache + "/" + name + "_" + source.format + list + "_" + source.split + "_" +
         std::to_string(source.fold) + "_" + std::to_string(options.side) + "_" + video.storage +
         (options.gray ? "_gray" : "") +
         (face_detector.empty() ? "" : "_faces-" + fs::path(face_detector).stem().string()) +
         ".clips";
}

// Numbers the list's labels as the model does, by the names of their classes: data sets count the
// same classes in orders of their own, and those of a manifest are whatever occurs in it.
Status number_as(const std::vector<std::string>& classes, const std::string& path, ClipList& list) {
  std::vector<int> numbers;
  for (const std::string& name : list.classes) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "its classes (" + joined(list.classes) + ") are not the model's (" +
                            joined(classes) + ")",
                        path);
    }
    numbers.push_back(static_cast<int>(found - classes.begin()));
  }
  for (ClipEntry& clip : list.clips) {
    if (clip.label >= 0) clip.label = numbers.at(static_cast<std::size_t>(clip.label));
  }
  list.classes = classes;
  return {};
}

Result<std::unique_ptr<ClipStore>> open_list(const ClipData& data, const VideoConfig& video,
                                             const ClipDataOptions& options,
                                             const std::function<void(const std::string&)>& say) {
  MIEN_ASSIGN(ClipList list, read_clip_list(data.source));
  MIEN_TRY(number_as(options.classes, data.source.path, list));
  const ClipCheck check = check_clips(list);
  if (!check.missing.empty()) {
    if (video.strict) {
      return make_error(ErrorCode::kNotFound,
                        std::to_string(check.missing.size()) + " clips cannot be used, e.g. " +
                            check.missing.front().path + ": " + check.missing.front().reason,
                        data.source.path);
    }
    say(problem_table(check, kTableRows));
  }
  ClipCacheOptions cache;
  cache.side = options.side;
  MIEN_ASSIGN(cache.storage, clip_storage_from_name(video.storage));
  cache.gray = options.gray;
  cache.strict = video.strict;
  MIEN_ASSIGN(const bool cuts, cuts_to_faces(video.faces, list.format));
  if (cuts) cache.face_detector = video.detector;
  std::error_code ignored;
  std::filesystem::create_directories(video.cache, ignored);
  const std::string path = cache_path(data.source, video, options, cache.face_detector);
  MIEN_ASSIGN(OpenedClipCache opened, open_clip_cache(path, list, cache));
  if (!opened.built_because.empty()) say(opened.built_because);
  const auto unreadable = opened.cache->problems();
  if (!unreadable.empty()) {
    say(problem_table({.missing = unreadable, .usable = opened.cache->size()}, kTableRows));
  }
  say(std::to_string(opened.cache->size()) + " clips from " + data.source.path + " (" +
      data.source.split + ")" +
      (cuts ? ", cut to the faces that " + video.detector + " finds" : ""));
  return std::unique_ptr<ClipStore>(std::move(opened.cache));
}

}  // namespace

Result<std::unique_ptr<ClipStore>> open_clip_data(
    const std::vector<ClipData>& sources, const VideoConfig& video, const ClipDataOptions& options,
    const std::function<void(const std::string&)>& say) {
  const bool composed = std::any_of(sources.begin(), sources.end(),
                                    [](const ClipData& data) { return data.composed(); });
  std::vector<std::unique_ptr<ClipStore>> stores;
  for (const ClipData& data : sources) {
    if (data.moments()) {
      MIEN_ASSIGN(auto store, open_moments(data, options));
      say(std::to_string(data.clips) + " moments per epoch from " + data.source.path);
      stores.push_back(std::move(store));
    } else if (data.stills()) {
      std::string said;
      MIEN_ASSIGN(auto store, open_stills(data, options, said));
      say(said);
      stores.push_back(std::move(store));
    } else {
      MIEN_ASSIGN(auto store, open_list(data, video, options, say));
      // Composed clips are as many as all passes need: recorded ones keep their share beside them.
      stores.push_back(composed ? repeat_store(std::move(store), options.passes)
                                : std::move(store));
    }
  }
  return join_stores(std::move(stores));
}

}  // namespace mien::learn
