#include "learn/data/still_set.h"

#include <filesystem>

#include "learn/data/still_formats.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

std::string detect_format(const std::string& path) {
  if (path.ends_with(".safetensors")) return "pack";
  if (fs::exists(fs::path(path) / "manifest.csv")) return "manifest";
  if (fs::exists(fs::path(path) / "faces.csv")) return "faces";
  if (fs::exists(fs::path(path) / "train.csv") || fs::exists(fs::path(path) / "valid.csv")) {
    return "ferplus";
  }
  if (fs::exists(fs::path(path) / "EmoLabel") || fs::exists(fs::path(path) / "basic"))
    return "rafdb";
  return "affectnet";
}

// Labels arrive in the dataset's own classes; this brings them into ours.
Status relabel(StillSet& set, const std::vector<std::string>& classes) {
  if (set.classes == classes) return {};
  MIEN_ASSIGN(const core::LabelSet from, core::make_label_set("dataset", set.classes));
  MIEN_ASSIGN(const core::LabelSet to, core::make_label_set("model", classes));
  const core::LabelMapping mapping = core::map_labels(from, to);
  for (Still& still : set.stills) {
    if (still.target_weight > 0.0F) {
      MIEN_ASSIGN(still.target, mapping.map_probabilities(still.target));
      float sum = 0.0F;
      for (const float p : still.target) sum += p;
      if (!(sum > 0.0F)) still.target_weight = 0.0F;
    }
    if (still.majority >= 0) {
      const auto target = mapping.map_index(static_cast<std::size_t>(still.majority));
      still.majority = target ? static_cast<int>(*target) : -1;
    }
  }
  set.classes = classes;
  return {};
}

void drop_labels(StillSet& set, const std::vector<std::string>& dropped) {
  for (Still& still : set.stills) {
    if (still.majority < 0) continue;
    for (const std::string& name : dropped) {
      if (set.classes[static_cast<std::size_t>(still.majority)] == core::label_or_itself(name)) {
        still.target_weight = 0.0F;
        still.majority = -1;
        break;
      }
    }
  }
}

// Drops pictures by the held-out rule; pixels stay where they are.
void keep_tenth(StillSet& set, const std::string& tenth) {
  if (tenth == "all") return;
  const bool want_held = tenth == "held";
  std::erase_if(set.stills, [&](const Still& still) {
    return in_held_out_tenth(still.group.empty() ? still.name : still.group) != want_held;
  });
}

Result<StillSet> read_by_format(const StillSource& source, StillReport& report) {
  const std::string format = source.format == "auto" ? detect_format(source.path) : source.format;
  if (format == "pack") return read_pack(source.path);
#ifdef MIEN_WITH_MEDIA
  if (format == "ferplus") return read_ferplus(source.path, source.split, report);
  if (format == "faces") return read_web_faces(source.path, report);
  if (format == "rafdb") return read_rafdb(source.path, source.split, report);
  if (format == "affectnet") return read_affectnet(source.path, source.split, report);
  if (format == "manifest") return read_manifest(source.path, report);
  return make_error(ErrorCode::kInvalidArgument, "unknown format '" + format + "'", source.path);
#else
  (void)report;
  return make_error(ErrorCode::kUnsupported,
                    "this build has no image decoder; make a pack with 'mien-train pack' elsewhere",
                    source.path);
#endif
}

}  // namespace

void StillSet::add(Still still, std::int32_t width, std::int32_t height,
                   std::span<const std::uint8_t> luma) {
  still.width = width;
  still.height = height;
  still.offset = pixels.size();
  pixels.insert(pixels.end(), luma.begin(), luma.end());
  stills.push_back(std::move(still));
}

Result<StillSet> read_stills(const StillSource& source, const std::vector<std::string>& classes,
                             StillReport* report) {
  StillReport local;
  auto set = read_by_format(source, report != nullptr ? *report : local);
  if (!set) return set.error();
  drop_labels(*set, source.drop_classes);
  MIEN_TRY(relabel(*set, classes));
  keep_tenth(*set, source.tenth);
  for (Still& still : set->stills) {
    still.target_weight *= source.use_labels ? source.weight : 0.0F;
    if (!source.use_points && still.framed) still.points.clear();
  }
  if (set->stills.empty()) {
    return make_error(ErrorCode::kNotFound, "holds no usable picture", source.path);
  }
  return set;
}

void append(StillSet& set, const StillSet& more) {
  const std::size_t base = set.pixels.size();
  set.pixels.insert(set.pixels.end(), more.pixels.begin(), more.pixels.end());
  for (Still still : more.stills) {
    still.offset += base;
    set.stills.push_back(std::move(still));
  }
}

std::string person_of(const std::string& name) {
  const std::size_t cut = name.rfind('_');
  return cut == std::string::npos ? name : name.substr(0, cut);
}

bool in_held_out_tenth(const std::string& group) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : group) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash % 10 == 0;
}

}  // namespace mien::learn
