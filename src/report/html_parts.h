// Pieces of an HTML page that is well-formed XML too: tables, pictures, sections. Texts may be any
// bytes and are escaped here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"

namespace mien::report {

// RFC 4648 with padding.
std::string base64(std::span<const std::uint8_t> bytes);

// A PNG or JPEG file as a data: URI. Error kBadFormat when the bytes begin like neither.
Result<std::string> picture_uri(std::span<const std::uint8_t> bytes);

// Escaped text whose line ends are kept (escape_xml alone would replace them).
std::string escape_lines(std::string_view text);

// A table with a caption; the first cell of a row is its heading.
class HtmlTable {
 public:
  HtmlTable(std::string_view caption, const std::vector<std::string>& columns);
  HtmlTable& row(const std::vector<std::string>& cells);
  std::string html() const;

 private:
  std::string out_;
};

// A section with a heading of the second level; `id` is trusted, `body` is HTML.
std::string html_section(std::string_view id, std::string_view heading, std::string_view body);

// A drawing or picture (HTML) with a caption of text.
std::string html_figure(std::string_view content, std::string_view caption);

// The whole page around `body` (HTML), with the style sheet of the reports: dark on light, fit for
// printing, nothing fetched from anywhere.
std::string html_page(std::string_view title, std::string_view body);

}  // namespace mien::report
