#include "learn/data/clip_lists.h"

#include <array>
#include <filesystem>
#include <string_view>

#include "learn/data/clip_list_tools.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

struct ClipFormat {
  std::string_view name;
  Result<ClipList> (*read)(const ClipSource& source);
};

// Everything that knows the formats by name looks here.
constexpr std::array<ClipFormat, 10> kFormats = {{
    {"dfew", [](const ClipSource& source) { return read_dfew_clips(source, false); }},
    {"dfew-original", [](const ClipSource& source) { return read_dfew_clips(source, true); }},
    {"ferv39k", read_ferv39k_clips},
    {"mafw", read_mafw_clips},
    {"mae-dfer-dfew", [](const ClipSource& source) { return read_mae_dfer_clips(source, "dfew"); }},
    {"mae-dfer-ferv39k",
     [](const ClipSource& source) { return read_mae_dfer_clips(source, "ferv39k"); }},
    {"mae-dfer-mafw", [](const ClipSource& source) { return read_mae_dfer_clips(source, "mafw"); }},
    {"ravdess", read_ravdess_clips},
    {"crema-d", read_crema_d_clips},
    {"manifest", read_manifest_clips},
}};

// "dfew, dfew-original, ..."
std::string list_of_formats() {
  std::string out;
  for (const ClipFormat& format : kFormats) {
    out += (out.empty() ? "" : ", ") + std::string(format.name);
  }
  return out;
}

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
      "looks like no data set that is known; name one of the formats " + list_of_formats(),
      source.path);
}

}  // namespace

std::vector<std::string> clip_formats() {
  std::vector<std::string> names;
  for (const ClipFormat& format : kFormats) names.emplace_back(format.name);
  return names;
}

Result<ClipList> read_clip_list(const ClipSource& source) {
  std::string format = source.format;
  if (format == "auto") {
    MIEN_ASSIGN(format, detect_format(source));
  }
  for (const ClipFormat& known : kFormats) {
    if (known.name != format) continue;
    MIEN_ASSIGN(ClipList list, known.read(source));
    list.format = format;
    return list;
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "no format " + in_quotes(format) + "; there are auto, " + list_of_formats(),
                    source.path);
}

Result<bool> cuts_to_faces(const std::string& faces, const std::string& format) {
  if (faces == "detect") return true;
  if (faces == "whole") return false;
  if (faces == "auto") return format == "ravdess" || format == "crema-d";
  return make_error(ErrorCode::kInvalidArgument,
                    "faces are auto, whole or detect, not " + in_quotes(faces));
}

}  // namespace mien::learn
