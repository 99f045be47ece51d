#include "media/moment_labels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/csv.h"
#include "media/archive.h"

namespace mien::media {
namespace {

// Once unpacked. Files of points, with their hundreds of characters a row, may be larger.
constexpr auto kMaxLabelBytes = static_cast<std::int64_t>(core::kMaxCsvBytes);

// A number of a size that votes and pixels can have; nothing for other text.
std::optional<double> number_of(const std::string& field) {
  const std::optional<double> value = core::number_in(field);
  if (!value || !(std::abs(*value) < 1e7)) return std::nullopt;
  return value;
}

// A name inside the folder or archive: relative, and never upwards.
bool is_inner_name(const std::string& name) {
  const std::filesystem::path path(name);
  if (name.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(),
                      [](const std::filesystem::path& part) { return part == ".."; });
}

// Where the columns of a label file are.
struct LabelColumns {
  std::size_t image = 0;
  std::size_t label = 0;           // `label` or `majority`
  std::vector<std::size_t> votes;  // empty: one label per picture
};

Result<LabelColumns> find_columns(const core::CsvHeader& header) {
  const bool voted = header.has("majority");
  const bool named = header.has("image") || header.has("path");
  if (!named || !(voted || header.has("label"))) {
    return make_error(ErrorCode::kBadFormat,
                      "needs a column 'image', and 'label' or votes with 'majority'",
                      header.source());
  }
  LabelColumns out;
  MIEN_ASSIGN(out.image, header.column(header.has("image") ? "image" : "path"));
  MIEN_ASSIGN(out.label, header.column(voted ? "majority" : "label"));
  for (std::size_t i = 0; voted && i < header.size(); ++i) {
    if (i != out.image && i != out.label) out.votes.push_back(i);
  }
  return out;
}

// The part of all votes that went to the winner. Error kBadFormat for a vote that is no count.
Result<double> share_of_winner(const core::CsvHeader& header, const LabelColumns& columns,
                               const core::CsvRecord& row) {
  double all = 0.0;
  double winner = 0.0;
  for (const std::size_t column : columns.votes) {
    const auto votes = number_of(row[column]);
    if (!votes || *votes < 0.0) {
      return header.error(row, column, core::in_quotes(row[column]) + " is not a count of votes");
    }
    all += *votes;
    if (header.names()[column] == row[columns.label]) winner = *votes;
  }
  return all > 0.0 ? winner / all : 0.0;
}

// The label of one row; nothing when it has none of `classes`, or no clear one.
Result<std::optional<StillLabel>> label_of(const core::CsvHeader& header,
                                           const LabelColumns& columns, const core::CsvRecord& row,
                                           const core::LabelSet& classes, double clear_share) {
  if (!columns.votes.empty()) {
    MIEN_ASSIGN(const double share, share_of_winner(header, columns, row));
    if (share < clear_share) return std::optional<StillLabel>();
  }
  const auto label = classes.index_of(row[columns.label]);
  if (!label) return std::optional<StillLabel>();
  StillLabel still;
  still.name = row[columns.image];
  still.label = static_cast<int>(*label);
  return std::optional<StillLabel>(std::move(still));
}

Status read_point_row(const core::CsvHeader& header, const core::CsvRecord& row,
                      StillLabel& still) {
  const auto spread = number_of(row[1]);
  if (!spread) return header.error(row, 1, "the spread is not a number");
  if (*spread > kTrustedSpread) return {};
  for (std::size_t i = 0; i < still.points.size(); ++i) {
    const auto value = number_of(row[2 + i]);
    if (!value) return header.error(row, 2 + i, "a coordinate is not a number");
    still.points[i] = static_cast<float>(*value);
  }
  still.has_points = true;
  return {};
}

}  // namespace

Result<std::vector<StillLabel>> read_still_labels(const std::string& path,
                                                  const core::LabelSet& classes,
                                                  double clear_share) {
  MIEN_ASSIGN(const std::string text, read_maybe_gzip(path, kMaxLabelBytes));
  MIEN_ASSIGN(core::CsvReader table, core::CsvReader::open(text, path));
  const core::CsvHeader& header = table.header();
  MIEN_ASSIGN(const LabelColumns columns, find_columns(header));
  std::vector<StillLabel> stills;
  std::set<std::string> seen;
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, table.next(row));
    if (!more) break;
    const std::string& name = row[columns.image];
    if (!is_inner_name(name)) {
      return header.error(row, columns.image, core::in_quotes(name) + " is no picture's name");
    }
    if (!seen.insert(name).second) {
      return header.error(row, columns.image, core::in_quotes(name) + " is named twice");
    }
    MIEN_ASSIGN(auto still, label_of(header, columns, row, classes, clear_share));
    if (still) stills.push_back(*std::move(still));
  }
  if (stills.empty()) {
    return make_error(ErrorCode::kNotFound, "names no picture with a clear label", path);
  }
  return stills;
}

Status read_still_points(const std::string& path, std::vector<StillLabel>& stills) {
  std::map<std::string, StillLabel*> by_name;
  for (StillLabel& still : stills) by_name[still.name] = &still;
  MIEN_ASSIGN(const std::string text, read_maybe_gzip(path));
  MIEN_ASSIGN(core::CsvReader table, core::CsvReader::open(text, path));
  const core::CsvHeader& header = table.header();
  if (header.size() != 2 + StillPoints().size() || header.names()[0] != "image") {
    return make_error(ErrorCode::kBadFormat, "is not image,spread,x0,y0,...,x67,y67", path);
  }
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, table.next(row));
    if (!more) break;
    const auto it = by_name.find(row[0]);
    if (it != by_name.end()) MIEN_TRY(read_point_row(header, row, *it->second));
  }
  return {};
}

Status drop_named_stills(const std::string& path, std::vector<StillLabel>& stills) {
  MIEN_ASSIGN(const std::string text, read_maybe_gzip(path, kMaxLabelBytes));
  MIEN_ASSIGN(core::CsvReader table, core::CsvReader::open(text, path));
  MIEN_ASSIGN(const std::size_t image, table.header().column("image"));
  std::set<std::string> dropped;
  core::CsvRecord row;
  while (true) {
    MIEN_ASSIGN(const bool more, table.next(row));
    if (!more) break;
    dropped.insert(row[image]);
  }
  std::erase_if(stills, [&](const StillLabel& still) { return dropped.contains(still.name); });
  if (stills.empty()) return make_error(ErrorCode::kNotFound, "leaves no picture", path);
  return {};
}

}  // namespace mien::media
