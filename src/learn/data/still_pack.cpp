// StillSet as one safetensors file: pixels, labels and points of every picture.
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/safetensors.h"
#include "learn/data/still_set.h"

namespace mien::learn {
namespace {

constexpr std::size_t kCoordinates = 136;
// Columns of the `meta` tensor [n, 5].
enum Column { kWidth, kHeight, kMajority, kFramed, kHasPoints, kColumns };

Error bad(const std::string& path, const std::string& what) {
  return make_error(ErrorCode::kBadFormat, "is not a pack of stills: " + what, path);
}

Result<std::vector<std::string>> read_names(const nlohmann::json& list) {
  std::vector<std::string> out;
  for (const auto& item : list) {
    if (!item.is_string()) return make_error(ErrorCode::kBadFormat, "a name is not text");
    out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace

Status write_pack(const std::string& path, const StillSet& set) {
  const auto count = static_cast<std::int64_t>(set.stills.size());
  const std::size_t classes = set.classes.size();
  std::vector<std::int32_t> meta;
  std::vector<float> target, values, points;
  nlohmann::json names = nlohmann::json::array();
  nlohmann::json groups = nlohmann::json::array();
  std::vector<std::uint8_t> pixels;
  for (const Still& still : set.stills) {
    meta.insert(meta.end(), {still.width, still.height, still.majority, still.framed ? 1 : 0,
                             still.points.empty() ? 0 : 1});
    for (std::size_t c = 0; c < classes; ++c) {
      target.push_back(c < still.target.size() ? still.target[c] : 0.0F);
    }
    values.insert(values.end(), {still.target_weight, still.spread});
    for (std::size_t i = 0; i < kCoordinates; ++i) {
      points.push_back(still.points.empty() ? 0.0F : still.points[i]);
    }
    const auto luma = set.pixels_of(still);
    pixels.insert(pixels.end(), luma.begin(), luma.end());
    names.push_back(still.name);
    groups.push_back(still.group);
  }
  core::TensorMap tensors;
  core::Tensor meta_tensor = core::Tensor::zeros(core::DType::kI32, {count, kColumns});
  std::memcpy(meta_tensor.bytes.data(), meta.data(), meta_tensor.bytes.size());
  tensors["meta"] = std::move(meta_tensor);
  tensors["target"] = core::Tensor::from_f32(target, {count, static_cast<std::int64_t>(classes)});
  tensors["values"] = core::Tensor::from_f32(values, {count, 2});
  tensors["points"] = core::Tensor::from_f32(points, {count, kCoordinates});
  tensors["pixels"] = core::Tensor::from_u8(pixels, {static_cast<std::int64_t>(pixels.size())});
  return core::write_safetensors(path, core::views_of(tensors),
                                 {{"mien.pack", "stills-1"},
                                  {"classes", nlohmann::json(set.classes).dump()},
                                  {"names", names.dump()},
                                  {"groups", groups.dump()}});
}

namespace {

// The tensors of a pack, with shapes checked against each other.
struct PackViews {
  std::span<const std::int32_t> meta;
  std::span<const float> target, values, points;
  std::span<const std::uint8_t> pixels;
};

Result<PackViews> check_pack(const core::SafetensorsFile& file, std::int64_t count,
                             std::int64_t classes) {
  const std::map<std::string, core::Shape> expected = {{"meta", {count, kColumns}},
                                                       {"target", {count, classes}},
                                                       {"values", {count, 2}},
                                                       {"points", {count, kCoordinates}}};
  for (const auto& [name, shape] : expected) {
    MIEN_ASSIGN(const core::TensorView view, file.find(name));
    const auto dtype = name == "meta" ? core::DType::kI32 : core::DType::kF32;
    if (view.shape != shape || view.dtype != dtype) return bad(file.path(), "tensor " + name);
  }
  MIEN_ASSIGN(const core::TensorView pixels, file.find("pixels"));
  if (pixels.dtype != core::DType::kU8) return bad(file.path(), "tensor pixels");
  const auto& t = file.tensors();
  return PackViews{t.at("meta").as<std::int32_t>(), t.at("target").as<float>(),
                   t.at("values").as<float>(), t.at("points").as<float>(),
                   pixels.as<std::uint8_t>()};
}

Status unpack(const PackViews& views, const std::vector<std::string>& names,
              const std::vector<std::string>& groups, StillSet& set, const std::string& path) {
  const std::size_t classes = set.classes.size();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::int32_t* meta = views.meta.data() + i * kColumns;
    Still still;
    still.name = names[i];
    still.group = groups[i];
    if (meta[kWidth] < 1 || meta[kHeight] < 1 || meta[kWidth] > 16384 || meta[kHeight] > 16384 ||
        meta[kMajority] < -1 || meta[kMajority] >= static_cast<int>(classes)) {
      return bad(path, "picture " + names[i]);
    }
    const std::size_t size =
        static_cast<std::size_t>(meta[kWidth]) * static_cast<std::size_t>(meta[kHeight]);
    if (size > views.pixels.size() - offset) return bad(path, "pixels end early");
    still.majority = meta[kMajority];
    still.framed = meta[kFramed] != 0;
    still.target.assign(views.target.begin() + static_cast<std::ptrdiff_t>(i * classes),
                        views.target.begin() + static_cast<std::ptrdiff_t>((i + 1) * classes));
    still.target_weight = views.values[2 * i];
    still.spread = views.values[2 * i + 1];
    if (meta[kHasPoints] != 0) {
      const auto first = views.points.begin() + static_cast<std::ptrdiff_t>(i * kCoordinates);
      still.points.assign(first, first + kCoordinates);
    }
    set.add(std::move(still), meta[kWidth], meta[kHeight], views.pixels.subspan(offset, size));
    offset += size;
  }
  return {};
}

}  // namespace

Result<StillSet> read_pack(const std::string& path) {
  MIEN_ASSIGN(const core::SafetensorsFile file, core::SafetensorsFile::open(path));
  const auto& metadata = file.metadata();
  if (!metadata.contains("mien.pack") || metadata.at("mien.pack") != "stills-1" ||
      !metadata.contains("names") || !metadata.contains("groups") ||
      !metadata.contains("classes")) {
    return bad(path, "no such metadata");
  }
  const auto list = [&](const char* key) {
    return read_names(nlohmann::json::parse(metadata.at(key), nullptr, false));
  };
  StillSet set;
  MIEN_ASSIGN(set.classes, list("classes"));
  MIEN_ASSIGN(const std::vector<std::string> names, list("names"));
  MIEN_ASSIGN(const std::vector<std::string> groups, list("groups"));
  if (groups.size() != names.size()) return bad(path, "names and groups");
  MIEN_ASSIGN(const PackViews views, check_pack(file, static_cast<std::int64_t>(names.size()),
                                                static_cast<std::int64_t>(set.classes.size())));
  MIEN_TRY(unpack(views, names, groups, set, path));
  return set;
}

}  // namespace mien::learn
