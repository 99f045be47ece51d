// Readers of datasets that come as a tar of pictures, a CSV of labels and a CSV of points.
#include <filesystem>
#include <map>

#include "core/csv.h"
#include "learn/data/still_formats.h"
#include "media/archive.h"

namespace mien::learn {
namespace {

constexpr std::size_t kCoordinates = 136;
// Once unpacked. Files of points, with their hundreds of characters a row, may be larger.
constexpr auto kMaxLabelBytes = static_cast<std::int64_t>(core::kMaxCsvBytes);

struct Points {
  std::vector<float> xy;
  float spread = 0.0F;
};

Result<core::CsvTable> read_table(const std::string& path) {
  MIEN_ASSIGN(const std::string text, media::read_maybe_gzip(path, kMaxLabelBytes));
  return core::parse_csv(text, path);
}

Result<std::map<std::string, Points>> read_points(const std::string& path) {
  std::map<std::string, Points> out;
  if (!std::filesystem::exists(path)) return out;
  MIEN_ASSIGN(const std::string text, media::read_maybe_gzip(path));
  MIEN_ASSIGN(core::CsvReader table, core::CsvReader::open(text, path));
  if (table.header().size() != 2 + kCoordinates) {
    return make_error(ErrorCode::kBadFormat, "is not image,spread,x0,y0,...,x67,y67", path);
  }
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, table.next(row));
    if (!more) break;
    Points points;
    points.xy.resize(kCoordinates);
    for (std::size_t i = 1; i < row.fields.size(); ++i) {
      const auto value = core::finite_in(row[i]);
      if (!value) {
        return table.header().error(row, i, core::in_quotes(row[i]) + " is not a number");
      }
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
Status read_votes(const core::CsvHeader& header, const core::CsvRecord& row,
                  const std::vector<std::size_t>& columns, std::size_t majority, Still& still) {
  still.target.assign(columns.size(), 0.0F);
  float sum = 0.0F;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string& field = row[columns[c]];
    const auto votes = core::finite_in(field);
    if (!votes || *votes < 0.0 || *votes > 1000.0) {
      return header.error(row, columns[c], core::in_quotes(field) + " is not a count of votes");
    }
    const float kept = *votes > 1.0 ? static_cast<float>(*votes) : 0.0F;
    still.target[c] = kept;
    sum += kept;
  }
  if (sum >= 4.0F) {
    for (float& value : still.target) value /= sum;
    still.target_weight = std::min(1.0F, sum / 10.0F);
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (row[majority] == header.names()[columns[c]]) still.majority = static_cast<int>(c);
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
  MIEN_ASSIGN(const core::CsvTable table, read_table(base + ".csv"));
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const auto points, read_points(base + "_landmarks.csv.gz"));
  StillSet set;
  set.classes = labels.classes;
  MIEN_ASSIGN(const std::size_t majority, table.header.column("majority"));
  std::vector<std::size_t> columns;
  for (const std::string& name : labels.classes) {
    MIEN_ASSIGN(const std::size_t column, table.header.column(name));
    columns.push_back(column);
  }
  std::map<std::string, Still> known;
  for (const core::CsvRecord& row : table.rows) {
    Still still;
    still.name = row[0];
    MIEN_TRY(read_votes(table.header, row, columns, majority, still));
    attach_points(still, points);
    known[still.name] = std::move(still);
  }
  MIEN_TRY(add_tar(set, base + ".tar", known, report));
  return set;
}

Result<StillSet> read_web_faces(const std::string& folder, StillReport& report) {
  const std::string base = (std::filesystem::path(folder) / "faces").string();
  MIEN_ASSIGN(const core::CsvTable table, read_table(base + ".csv"));
  MIEN_ASSIGN(const std::size_t label_column, table.header.column("label"));
  MIEN_ASSIGN(const core::LabelSet labels, core::find_label_set("ferplus"));
  MIEN_ASSIGN(const auto points, read_points(base + "_landmarks.csv.gz"));
  StillSet set;
  set.classes = labels.classes;
  std::map<std::string, Still> known;
  for (const core::CsvRecord& row : table.rows) {
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
