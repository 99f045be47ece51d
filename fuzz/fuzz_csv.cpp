// Any bytes: an error of one line, or a table that holds together and survives being written again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.h"

namespace {

void require(bool condition) {
  if (!condition) __builtin_trap();
}

// Every field in quotes, as RFC 4180 allows: no rule of the writer's own.
std::string line_of(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) {
    out += out.empty() ? "\"" : ",\"";
    for (const char c : field) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out + "\r\n";
}

void check(const mien::core::CsvTable& table) {
  require(table.header.size() >= 1 && table.header.size() <= mien::core::kMaxCsvColumns);
  std::string text = line_of(table.header.names());
  std::size_t line = 0;
  for (const mien::core::CsvRecord& row : table.rows) {
    require(row.fields.size() == table.header.size());
    require(row.line > line);
    line = row.line;
    text += line_of(row.fields);
  }
  const auto again = mien::core::parse_csv(text, "again");
  require(again.ok() && again->header.names() == table.header.names());
  require(again->rows.size() == table.rows.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    require(again->rows[i].fields == table.rows[i].fields);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = mien::core::parse_csv(text, "input");
  if (table) {
    check(*table);
  } else {
    require(table.error().to_string().find('\n') == std::string::npos);
  }
  return 0;
}
