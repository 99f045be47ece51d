#include "learn/data/eval_set.h"

#include <cmath>
#include <filesystem>

#include "core/csv.h"
#include "learn/data/augment.h"

namespace mien::learn {

Result<std::set<std::string>> read_name_list(const std::string& path) {
  MIEN_ASSIGN(const core::CsvTable table, core::read_csv(path));
  std::set<std::string> names;
  for (const core::CsvRecord& row : table.rows) names.insert(row[0]);
  return names;
}

std::string duplicates_list_of(const StillSource& source) {
  const auto path = std::filesystem::path(source.path) / (source.split + "_duplicates.csv");
  return std::filesystem::exists(path) ? path.string() : std::string();
}

std::vector<std::uint8_t> crop_rgb(const StillSet& set, const Still& still, const CropFrame& frame,
                                   int size) {
  const auto area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  std::vector<float> luma(area);
  render_crop(set, still, frame, size, luma);
  std::vector<std::uint8_t> rgb;
  rgb.reserve(3 * area);
  for (const float value : luma) {
    rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(std::lround(255.0F * value)));
  }
  return rgb;
}

}  // namespace mien::learn
