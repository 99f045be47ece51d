// Readers of datasets that come as a tar of pictures, a CSV of labels and a CSV of points.
#include <filesystem>
#include <map>

#include "learn/data/csv.h"
#include "learn/data/still_formats.h"
#include "media/archive.h"

namespace mien::learn {
namespace {

constexpr std::size_t kCoordinates = 136;

struct Points {
  std::vector<float> xy;
  float spread = 0.0F;
};

Result<CsvTable> read_table(const std::string& path) {
  MIEN_ASSIGN(const std::string text, media::read_maybe_gzip(path));
  return parse_csv(text, path);
}

Result<std::map<std::string, Points>> read_points(const std::string& path) {
  std::map<std::string, Points> out;
  if (!std::filesystem::exists(path)) return out;
  MIEN_ASSIGN(const CsvTable table, read_table(path));
  if (table.header.size() != 2 + kCoordinates) {
    return make_error(ErrorCode::kBadFormat, "is not image,spread,x0,y0,...,x67,y67", path);
  }
  for (const auto& row : table.rows) {
    Points points;
    points.xy.resize(kCoordinates);
    for (std::size_t i = 1; i < row.size(); ++i) {
      const auto value = parse_number(row[i]);
      if (!value) return value.error().within(path + ": " + row[0]);
      (i == 1 ? points.spread : points.xy[i - 2]) = static_cast<float>(*value);
    }
    out[row[0]] = std::move(points);
  }
  return out;
}

void attach_points(Still& still, const std::map<std::string, Points>& points) {
  const auto it = points.find(still.name);
  if (it == points.end()) return;
  still.points = it->second.xy;
  still.spread = it->second.spread;
}

// Votes as FERPlus's own training code treats them: single votes are outliers and dropped. The
// weight is the share of people who saw an expression at all.
Status read_votes(const CsvTable& table, const std::vector<std::string>& row,
                  const std::vector<std::size_t>& columns, Still& still) {
  still.target.assign(columns.size(), 0.0F);
  float sum = 0.0F;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto votes = parse_number(row[columns[c]]);
    if (!votes || *votes < 0.0 || *votes > 1000.0) {
      return make_error(ErrorCode::kBadFormat, "a vote count is not a number", row[0]);
    }
    const float kept = *votes > 1.0 ? static_cast<float>(*votes) : 0.0F;
    still.target[c] = kept;
    sum += kept;
  }
  if (sum >= 4.0F) {
    for (float& value : still.target) value /= sum;
    still.target_weight = std::min(1.0F, sum / 10.0F);
  }
  MIEN_ASSIGN(const std::size_t majority, table.column("majority"));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (row[majority] == table.header[columns[c]]) still.majority = static_cast<int>(c);
  }
  return {};
}

// Walks the tar once and pairs each picture with what is known of it.
Status add_tar(StillSet& set, const std::string& tar, std::map<std::string, Still>& known,
               StillReport& report) {
  auto reader = media::ArchiveReader::open(tar);
  if (!reader) return reader.error();
  while (true) {
    auto entry = reader->next();
    if (!entry) return entry.error();
    if (!entry->has_value()) break;
    const auto it = known.find((*entry)->name);
    if (it == known.end()) continue;
    const auto image = media::decode_image((*entry)->bytes, (*entry)->name);
    if (!image) {
      skip(report, it->first, image.error().message);
      continue;
    }
    set.add(std::move(it->second), image->width, image->height, luma_of(*image));
    known.erase(it);
  }
  for (const auto& [name, still] : known) skip(report, name, "is not in " + tar);
  return {};
}

}  // namespace

Result<StillSet> read_ferplus(const std::string& folder, const std::string& split,
                              StillReport& report) {
  const std::string base = (std::filesystem::path(folder) / split).string();
  MIEN_ASSIGN(const CsvTable table, read_table(base + ".csv"));
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const auto points, read_points(base + "_landmarks.csv.gz"));
  StillSet set;
  set.classes = labels.classes;
  std::vector<std::size_t> columns;
  for (const std::string& name : labels.classes) {
    const auto column = table.column(name);
    if (!column) return column.error().within(base + ".csv");
    columns.push_back(*column);
  }
  std::map<std::string, Still> known;
  for (const auto& row : table.rows) {
    Still still;
    still.name = row[0];
    if (auto status = read_votes(table, row, columns, still); !status) {
      return status.error().within(base + ".csv");
    }
    attach_points(still, points);
    known[still.name] = std::move(still);
  }
  MIEN_TRY(add_tar(set, base + ".tar", known, report));
  return set;
}

Result<StillSet> read_web_faces(const std::string& folder, StillReport& report) {
  const std::string base = (std::filesystem::path(folder) / "faces").string();
  MIEN_ASSIGN(const CsvTable table, read_table(base + ".csv"));
  MIEN_ASSIGN(const std::size_t label_column, table.column("label"));
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const auto points, read_points(base + "_landmarks.csv.gz"));
  StillSet set;
  set.classes = labels.classes;
  std::map<std::string, Still> known;
  for (const auto& row : table.rows) {
    Still still;
    still.name = row[0];
    still.group = person_of(row[0]);
    still.framed = false;
    const auto label = labels.index_of(row[label_column]);
    if (label) set_single_label(still, *label, labels.size());
    attach_points(still, points);
    if (still.points.empty()) {
      skip(report, still.name, "has no points to frame the face by");
      continue;
    }
    known[still.name] = std::move(still);
  }
  MIEN_TRY(add_tar(set, base + ".tar", known, report));
  return set;
}

}  // namespace mien::learn
