#include "media/moment_labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "media/archive.h"

namespace mien::media {
namespace {

using Fields = std::vector<std::string>;

// One record of `text` from `at` on, with quotes as in RFC 4180; false when a quote is left open.
bool read_record(const std::string& text, std::size_t& at, Fields& fields) {
  fields.assign(1, {});
  bool quoted = false;
  while (at < text.size()) {
    const char c = text[at++];
    if (quoted) {
      const bool doubled = c == '"' && at < text.size() && text[at] == '"';
      if (c != '"' || doubled) {
        fields.back() += c;
        at += doubled ? 1 : 0;
      } else {
        quoted = false;
      }
    } else if (c == '\n') {
      break;
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return !quoted;
}

Error bad(const std::string& path, std::size_t record, const std::string& what) {
  return make_error(ErrorCode::kBadFormat, "record " + std::to_string(record) + ": " + what, path);
}

// Calls `row` with every record after the header; stops at the first error.
Status read_rows(const std::string& path, const std::function<Status(const Fields&)>& header,
                 const std::function<Status(std::size_t, const Fields&)>& row) {
  MIEN_ASSIGN(const std::string text, read_maybe_gzip(path));
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a mark that spreadsheets leave
  std::size_t record = 0;
  std::size_t columns = 0;
  Fields fields;
  while (at < text.size()) {
    ++record;
    if (!read_record(text, at, fields)) return bad(path, record, "open quote");
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (columns == 0) {
      columns = fields.size();
      MIEN_TRY(header(fields));
    } else if (fields.size() != columns) {
      return bad(
          path, record,
          std::to_string(fields.size()) + " fields, the header has " + std::to_string(columns));
    } else {
      MIEN_TRY(row(record, fields));
    }
  }
  if (columns == 0) return make_error(ErrorCode::kBadFormat, "is empty", path);
  return {};
}

std::optional<std::size_t> column_of(const Fields& header, const std::string& name) {
  const auto it = std::find(header.begin(), header.end(), name);
  if (it == header.end()) return std::nullopt;
  return static_cast<std::size_t>(it - header.begin());
}

std::optional<double> number_of(const std::string& field) {
  double value = 0.0;
  const char* end = field.data() + field.size();
  const auto [stop, code] = std::from_chars(field.data(), end, value);
  if (code != std::errc() || stop != end || !(std::abs(value) < 1e7)) return std::nullopt;
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
  Fields names;
};

Result<LabelColumns> find_columns(const Fields& header, const std::string& path) {
  LabelColumns out;
  out.names = header;
  const auto image = column_of(header, column_of(header, "image") ? "image" : "path");
  const auto majority = column_of(header, "majority");
  const auto label = majority ? majority : column_of(header, "label");
  if (!image || !label) {
    return make_error(ErrorCode::kBadFormat,
                      "needs a column 'image', and 'label' or votes with 'majority'", path);
  }
  out.image = *image;
  out.label = *label;
  for (std::size_t i = 0; majority && i < header.size(); ++i) {
    if (i != out.image && i != out.label) out.votes.push_back(i);
  }
  return out;
}

// The part of all votes that went to the winner; nothing when a vote is no count.
std::optional<double> share_of_winner(const LabelColumns& columns, const Fields& row) {
  double all = 0.0;
  double winner = 0.0;
  for (const std::size_t column : columns.votes) {
    const auto votes = number_of(row[column]);
    if (!votes || *votes < 0.0) return std::nullopt;
    all += *votes;
    if (columns.names[column] == row[columns.label]) winner = *votes;
  }
  return all > 0.0 ? winner / all : 0.0;
}

}  // namespace

Result<std::vector<StillLabel>> read_still_labels(const std::string& path,
                                                  const core::LabelSet& classes,
                                                  double clear_share) {
  std::vector<StillLabel> stills;
  std::set<std::string> seen;
  LabelColumns columns;
  const auto on_header = [&](const Fields& header) -> Status {
    MIEN_ASSIGN(columns, find_columns(header, path));
    return {};
  };
  const auto on_row = [&](std::size_t record, const Fields& row) -> Status {
    const std::string& name = row[columns.image];
    if (!is_inner_name(name)) return bad(path, record, "'" + name + "' is no picture's name");
    if (!seen.insert(name).second) return bad(path, record, "'" + name + "' is named twice");
    if (!columns.votes.empty()) {
      const auto share = share_of_winner(columns, row);
      if (!share) return bad(path, record, "a vote is not a count");
      if (*share < clear_share) return {};
    }
    const auto label = classes.index_of(row[columns.label]);
    if (!label) return {};
    StillLabel still;
    still.name = name;
    still.label = static_cast<int>(*label);
    stills.push_back(std::move(still));
    return {};
  };
  MIEN_TRY(read_rows(path, on_header, on_row));
  if (stills.empty()) {
    return make_error(ErrorCode::kNotFound, "names no picture with a clear label", path);
  }
  return stills;
}

Status read_still_points(const std::string& path, std::vector<StillLabel>& stills) {
  std::map<std::string, StillLabel*> by_name;
  for (StillLabel& still : stills) by_name[still.name] = &still;
  const auto on_header = [&](const Fields& header) -> Status {
    if (header.size() == 2 + StillPoints().size() && header[0] == "image") return {};
    return make_error(ErrorCode::kBadFormat, "is not image,spread,x0,y0,...,x67,y67", path);
  };
  const auto on_row = [&](std::size_t record, const Fields& row) -> Status {
    const auto it = by_name.find(row[0]);
    if (it == by_name.end()) return {};
    const auto spread = number_of(row[1]);
    if (!spread) return bad(path, record, "the spread is not a number");
    if (*spread > kTrustedSpread) return {};
    for (std::size_t i = 0; i < it->second->points.size(); ++i) {
      const auto value = number_of(row[2 + i]);
      if (!value) return bad(path, record, "a coordinate is not a number");
      it->second->points[i] = static_cast<float>(*value);
    }
    it->second->has_points = true;
    return {};
  };
  return read_rows(path, on_header, on_row);
}

Status drop_named_stills(const std::string& path, std::vector<StillLabel>& stills) {
  std::set<std::string> dropped;
  std::size_t column = 0;
  const auto on_header = [&](const Fields& header) -> Status {
    const auto image = column_of(header, "image");
    if (!image) return make_error(ErrorCode::kBadFormat, "has no column 'image'", path);
    column = *image;
    return {};
  };
  const auto on_row = [&](std::size_t, const Fields& row) -> Status {
    dropped.insert(row[column]);
    return {};
  };
  MIEN_TRY(read_rows(path, on_header, on_row));
  std::erase_if(stills, [&](const StillLabel& still) { return dropped.contains(still.name); });
  if (stills.empty()) return make_error(ErrorCode::kNotFound, "leaves no picture", path);
  return {};
}

}  // namespace mien::media
