// Readers of datasets that are folders of picture files.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/csv.h"
#include "core/files.h"
#include "learn/data/still_formats.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// The single value of an AffectNet *_exp.npy: a 0-d array of a one-digit string ('<U1') or an
// integer. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
Result<std::size_t> read_npy_label(const std::string& path) {
  MIEN_ASSIGN(const std::string bytes, core::read_text_file(path, 4096));
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) {
    return make_error(ErrorCode::kBadFormat, "is not a .npy file", path);
  }
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  if (bytes.size() < 10 + header + 1) {
    return make_error(ErrorCode::kBadFormat, "is cut short", path);
  }
  const char first = bytes[10 + header];
  const bool text = bytes.find("U") < 10 + header;
  const int label = text ? first - '0' : static_cast<int>(static_cast<unsigned char>(first));
  if (label < 0 || label > 7) return make_error(ErrorCode::kBadFormat, "has no label 0..7", path);
  return static_cast<std::size_t>(label);
}

Result<std::vector<LabelledFile>> affectnet_files(const fs::path& base,
                                                  const core::LabelSet& labels) {
  std::vector<LabelledFile> files;
  for (const fs::path& image : sorted_entries(base / "images")) {
    const fs::path npy = base / "annotations" / (image.stem().string() + "_exp.npy");
    MIEN_ASSIGN(const std::size_t label, read_npy_label(npy.string()));
    if (label < labels.size()) files.push_back({image.string(), label});
  }
  return files;
}

// One folder per class, named by the class or by its number.
std::vector<LabelledFile> class_folder_files(const fs::path& base, const core::LabelSet& labels) {
  std::vector<LabelledFile> files;
  for (const fs::path& folder : sorted_entries(base)) {
    const std::string name = folder.filename().string();
    auto label = labels.index_of(name);
    const auto last = static_cast<std::int64_t>(labels.size()) - 1;
    const auto number = core::integer_in(name, 0, last);
    if (!label && number) label = static_cast<std::size_t>(*number);
    if (!label) continue;
    for (const fs::path& image : sorted_entries(folder)) files.push_back({image.string(), *label});
  }
  return files;
}

Result<StillSet> collect(const core::LabelSet& labels, const std::vector<LabelledFile>& files,
                         const std::string& folder, StillReport& report) {
  if (files.empty()) return make_error(ErrorCode::kNotFound, "no labelled picture found", folder);
  StillSet set;
  set.classes = labels.classes;
  add_files(set, files, report);
  return set;
}

}  // namespace

std::vector<std::uint8_t> luma_of(const media::ImageView& image) {
  std::vector<std::uint8_t> out;
  out.reserve(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* p = image.row(y);
    for (int x = 0; x < image.width; ++x, p += 3) {
      out.push_back(
          static_cast<std::uint8_t>(0.299F * p[0] + 0.587F * p[1] + 0.114F * p[2] + 0.5F));
    }
  }
  return out;
}

void set_single_label(Still& still, std::size_t label, std::size_t classes) {
  still.target.assign(classes, 0.0F);
  still.target[label] = 1.0F;
  still.target_weight = 1.0F;
  still.majority = static_cast<int>(label);
}

void skip(StillReport& report, const std::string& name, const std::string& why) {
  ++report.skipped;
  if (report.examples.size() < 5) report.examples.push_back(name + ": " + why);
}

void add_files(StillSet& set, const std::vector<LabelledFile>& files, StillReport& report) {
  for (const LabelledFile& file : files) {
    const auto image = media::read_image(file.path);
    if (!image) {
      skip(report, file.path, image.error().message);
      continue;
    }
    Still still;
    still.name = fs::path(file.path).filename().string();
    set_single_label(still, file.label, set.classes.size());
    set.add(std::move(still), image->width, image->height, luma_of(*image));
  }
}

Result<StillSet> read_rafdb(const std::string& folder, const std::string& split,
                            StillReport& report) {
  fs::path base = folder;
  if (fs::exists(base / "basic")) base /= "basic";
  const std::string list = (base / "EmoLabel" / "list_patition_label.txt").string();
  MIEN_ASSIGN(const std::string text, core::read_text_file(list));
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("rafdb"));
  // The lists know "train" and "test" only; our "valid" is RAF-DB's test part.
  const std::string prefix = split == "train" ? "train_" : "test_";
  std::vector<LabelledFile> files;
  std::istringstream lines(text);
  std::string name;
  int number = 0;
  while (lines >> name >> number) {
    if (number < 1 || number > 7)
      return make_error(ErrorCode::kBadFormat, "label outside 1..7: " + name, list);
    if (!name.starts_with(prefix)) continue;
    const std::string stem = fs::path(name).stem().string();
    const fs::path aligned = base / "Image" / "aligned" / (stem + "_aligned.jpg");
    const fs::path original = base / "Image" / "original" / name;
    files.push_back({(fs::exists(aligned) ? aligned : original).string(),
                     static_cast<std::size_t>(number - 1)});
  }
  return collect(labels, files, folder, report);
}

Result<StillSet> read_affectnet(const std::string& folder, const std::string& split,
                                StillReport& report) {
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("affectnet-8"));
  const fs::path set_folder = fs::path(folder) / (split == "valid" ? "val_set" : split + "_set");
  if (fs::exists(set_folder / "annotations")) {
    MIEN_ASSIGN(const auto files, affectnet_files(set_folder, labels));
    return collect(labels, files, folder, report);
  }
  for (const std::string& name : {split, std::string(split == "valid" ? "val" : split)}) {
    const fs::path base = fs::path(folder) / name;
    if (fs::exists(base)) return collect(labels, class_folder_files(base, labels), folder, report);
  }
  return make_error(
      ErrorCode::kNotFound,
      "has neither " + set_folder.filename().string() + "/annotations nor " + split + "/<class>",
      folder);
}

Result<StillSet> read_manifest(const std::string& folder, StillReport& report) {
  const fs::path base = folder;
  const std::string path = (base / "manifest.csv").string();
  MIEN_ASSIGN(const core::CsvTable table, core::read_csv(path));
  MIEN_ASSIGN(const std::size_t path_column, table.header.column("path"));
  MIEN_ASSIGN(const std::size_t label_column, table.header.column("label"));
  std::vector<std::string> names;
  for (const core::CsvRecord& row : table.rows) {
    const std::string label = core::label_or_itself(row[label_column]);
    if (std::find(names.begin(), names.end(), label) == names.end()) names.push_back(label);
  }
  if (names.empty()) return make_error(ErrorCode::kNotFound, "names no picture", path);
  std::sort(names.begin(), names.end());
  MIEN_ASSIGN(const core::LabelSet labels, core::make_label_set("manifest", names));
  std::vector<LabelledFile> files;
  for (const core::CsvRecord& row : table.rows) {
    files.push_back({(base / row[path_column]).string(), *labels.index_of(row[label_column])});
  }
  return collect(labels, files, folder, report);
}

}  // namespace mien::learn
