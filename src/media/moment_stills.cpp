#include "media/moment_stills.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "media/archive.h"
#include "media/image.h"

namespace mien::media {
namespace {

namespace fs = std::filesystem;

constexpr int kLeastSide = 8;  // below that nothing of a face is left
constexpr std::size_t kMostBytes = std::size_t{4} << 30;

// A decoded picture waiting for its place in the order of the label file.
struct Grey {
  int width = 0;
  int height = 0;
  double scale = 1.0;  // stored pixels per pixel of the file
  std::vector<std::uint8_t> luma;
};

// In integers, so that a grey picture keeps its values and every machine has the same ones.
std::vector<std::uint8_t> luma_of(const ImageView& image) {
  std::vector<std::uint8_t> out;
  out.reserve(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* p = image.row(y);
    for (int x = 0; x < image.width; ++x, p += 3) {
      out.push_back(static_cast<std::uint8_t>((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8));
    }
  }
  return out;
}

Result<Grey> to_grey(Image image, int most_side, const std::string& name) {
  Grey out;
  const int longer = std::max(image.width, image.height);
  if (longer > most_side) {
    out.scale = static_cast<double>(most_side) / longer;
    const auto reduced = [&](int side) {
      return std::max(static_cast<int>(std::floor(side * out.scale + 0.5)), 1);
    };
    MIEN_ASSIGN(image, resize_bilinear(image, reduced(image.width), reduced(image.height)));
  }
  if (std::min(image.width, image.height) < kLeastSide) {
    return make_error(ErrorCode::kBadFormat, "is too small to show a face", name);
  }
  out.width = image.width;
  out.height = image.height;
  out.luma = luma_of(image);
  return out;
}

// The pictures, decoded, by the index of their line.
class Collector {
 public:
  Collector(const std::vector<StillLabel>& labels, int most_side)
      : pictures_(labels.size()), most_side_(most_side) {
    for (std::size_t i = 0; i < labels.size(); ++i) wanted_[labels[i].name] = i;
  }

  bool wants(const std::string& name) const { return wanted_.contains(name); }

  Status add(const std::string& name, Image image) {
    MIEN_ASSIGN(Grey grey, to_grey(std::move(image), most_side_, name));
    std::optional<Grey>& place = pictures_[wanted_.at(name)];
    bytes_ += grey.luma.size();
    if (place) bytes_ -= place->luma.size();
    if (bytes_ > kMostBytes) {
      return make_error(ErrorCode::kLimit, "more than 4 GiB of pixels so far", name);
    }
    place = std::move(grey);
    return {};
  }

  std::vector<std::optional<Grey>>& pictures() { return pictures_; }

 private:
  std::map<std::string, std::size_t> wanted_;
  std::vector<std::optional<Grey>> pictures_;
  int most_side_;
  std::size_t bytes_ = 0;
};

Status read_archive(const std::string& path, Collector& collector) {
  MIEN_ASSIGN(ArchiveReader reader, ArchiveReader::open(path));
  for (;;) {
    MIEN_ASSIGN(const std::optional<ArchiveEntry> entry, reader.next());
    if (!entry) return {};
    std::string name = entry->name;
    if (name.rfind("./", 0) == 0) name.erase(0, 2);
    if (!collector.wants(name)) continue;
    auto image = decode_image(entry->bytes, name);
    if (!image.ok()) return image.error().within(path);
    if (auto status = collector.add(name, std::move(*image)); !status.ok()) {
      return status.error().within(path);
    }
  }
}

Status read_folder(const std::string& path, const std::vector<StillLabel>& labels,
                   Collector& collector) {
  for (const StillLabel& label : labels) {
    const fs::path file = fs::path(path) / label.name;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) continue;  // told of by the caller, with its label file
    MIEN_ASSIGN(Image image, read_image(file.string()));
    if (auto status = collector.add(label.name, std::move(image)); !status.ok()) {
      return status.error().within(path);
    }
  }
  return {};
}

// The file of points that lies beside a label file; "" when there is none.
std::string points_beside(const std::string& labels) {
  fs::path stem = labels;
  if (stem.extension() == ".gz") stem.replace_extension();
  stem.replace_extension();
  for (const char* ending : {"_landmarks.csv.gz", "_landmarks.csv"}) {
    const std::string path = stem.string() + ending;
    std::error_code ignored;
    if (fs::exists(path, ignored)) return path;
  }
  return {};
}

Result<std::vector<StillLabel>> read_labels(const MomentSource& source,
                                            const core::LabelSet& classes) {
  MIEN_ASSIGN(auto labels, read_still_labels(source.labels, classes, source.clear_share));
  if (!source.exclude.empty()) MIEN_TRY(drop_named_stills(source.exclude, labels));
  const std::string points =
      source.landmarks.empty() ? points_beside(source.labels) : source.landmarks;
  if (!points.empty()) MIEN_TRY(read_still_points(points, labels));
  return labels;
}

}  // namespace

void MomentStills::add(MomentStill still, int width, int height,
                       const std::vector<std::uint8_t>& grey) {
  still.width = width;
  still.height = height;
  still.offset = luma.size();
  luma.insert(luma.end(), grey.begin(), grey.end());
  stills.push_back(std::move(still));
}

std::string person_of_picture(const std::string& name) {
  const std::string stem = fs::path(name).replace_extension().string();
  const std::size_t cut = stem.rfind('_');
  if (cut == std::string::npos || cut == 0 || cut + 1 == stem.size()) return stem;
  const bool numbered = std::all_of(stem.begin() + static_cast<std::ptrdiff_t>(cut) + 1, stem.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  return numbered ? stem.substr(0, cut) : stem;
}

Result<MomentStills> read_moment_stills(const MomentSource& source, int most_side) {
  if (most_side < kLeastSide) {
    return make_error(ErrorCode::kInvalidArgument, "pictures of less than 8 pixels");
  }
  std::error_code ignored;
  const fs::file_status kind = fs::status(source.images, ignored);
  if (!fs::exists(kind)) {
    return make_error(ErrorCode::kNotFound, "no such folder or archive", source.images);
  }
  MIEN_ASSIGN(const core::LabelSet classes, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const std::vector<StillLabel> labels, read_labels(source, classes));
  Collector collector(labels, most_side);
  if (fs::is_directory(kind)) {
    MIEN_TRY(read_folder(source.images, labels, collector));
  } else {
    MIEN_TRY(read_archive(source.images, collector));
  }
  MomentStills out;
  out.classes = classes.classes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::optional<Grey>& grey = collector.pictures()[i];
    if (!grey) {
      return make_error(ErrorCode::kNotFound,
                        "names '" + labels[i].name + "', which is not in " + source.images,
                        source.labels);
    }
    MomentStill still;
    still.name = labels[i].name;
    still.person = person_of_picture(still.name);
    still.label = labels[i].label;
    still.has_points = labels[i].has_points;
    for (std::size_t p = 0; p < still.points.size(); ++p) {
      still.points[p] = static_cast<float>(static_cast<double>(labels[i].points[p]) * grey->scale);
    }
    out.add(std::move(still), grey->width, grey->height, grey->luma);
  }
  return out;
}

}  // namespace mien::media
