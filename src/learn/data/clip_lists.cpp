#include "learn/data/clip_lists.h"

#include <filesystem>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormats =
    "dfew, dfew-original, ferv39k, mafw, mae-dfer-dfew, mae-dfer-ferv39k, mae-dfer-mafw, ravdess, "
    "crema-d, manifest";

// By what only one of the data sets has. Lists without a header are not told apart here: their
// order of classes must be named.
Result<std::string> detect_format(const ClipSource& source) {
  const fs::path root = source.path;
  const auto has = [&](const char* name) { return path_exists((root / name).string()); };
  std::error_code ignored;
  if (fs::is_regular_file(root, ignored)) return std::string("manifest");
  if (!fs::is_directory(root, ignored)) {
    return make_error(ErrorCode::kNotFound, "no such folder", source.path);
  }
  for (const char* name : {"manifest.csv", "manifest_train.csv", "manifest_test.csv"}) {
    if (has(name)) return std::string("manifest");
  }
  for (const char* name :
       {"EmoLabel_DataSplit", "Clip/clip_224x224_16f", "Clip/clip_224x224", "train_set_1.csv"}) {
    if (has(name)) return std::string("dfew");
  }
  for (const char* name : {"2_ClipsforFaceCrop", "4_setups"}) {
    if (has(name)) return std::string("ferv39k");
  }
  for (const char* name :
       {"anno/single", "Train & Test Set", "single/no_caption", "frames_crop_align_224",
        "data/frames_crop_align_224", "set_1/train.txt", "set_1/train.csv"}) {
    if (has(name)) return std::string("mafw");
  }
  const std::string named = format_of_names(source.path);
  if (!named.empty()) return named;
  return make_error(
      ErrorCode::kBadFormat,
      std::string("looks like no data set that is known; name one of the formats ") + kFormats,
      source.path);
}

}  // namespace

Result<ClipList> read_clip_list(const ClipSource& source) {
  std::string format = source.format;
  if (format == "auto") {
    MIEN_ASSIGN(format, detect_format(source));
  }
  if (format == "dfew") return read_dfew_clips(source, false);
  if (format == "dfew-original") return read_dfew_clips(source, true);
  if (format == "ferv39k") return read_ferv39k_clips(source);
  if (format == "mafw") return read_mafw_clips(source);
  if (format == "ravdess") return read_ravdess_clips(source);
  if (format == "crema-d") return read_crema_d_clips(source);
  if (format == "manifest") return read_manifest_clips(source);
  for (const char* data_set : {"dfew", "ferv39k", "mafw"}) {
    if (format == std::string("mae-dfer-") + data_set) {
      return read_mae_dfer_clips(source, data_set);
    }
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "no format " + in_quotes(format) + "; there are auto, " + kFormats,
                    source.path);
}

}  // namespace mien::learn
