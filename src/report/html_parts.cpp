#include "report/html_parts.h"

#include <algorithm>
#include <array>

#include "report/text.h"

namespace mien::report {
namespace {

// No '<' and no '&': the page stays well-formed XML.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light; }
body { font: 16px/1.5 "DejaVu Sans", Verdana, Arial, sans-serif; color: #1a1a1a;
  background: #fff; max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 0.6rem; border-bottom: 2px solid #0072b2; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; margin: 0; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; }
caption { text-align: left; color: #444; padding-bottom: 0.3rem; }
th, td { padding: 0.25rem 0.8rem; border-bottom: 1px solid #ccc; text-align: right;
  overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #555; }
tbody th, thead th:first-child { text-align: left; font-weight: normal; }
.headline td:nth-child(2) { font-size: 1.35rem; font-weight: bold; }
.settings td { text-align: left; }
.note { border-left: 4px solid #b45309; padding: 0.2rem 0.8rem; background: #fff7ed; }
figure { margin: 1rem 0; break-inside: avoid; }
figcaption { color: #333; font-size: 0.95rem; overflow-wrap: anywhere; }
svg, img { max-width: 100%; height: auto; }
.mistakes { padding-left: 1.8rem; }
.mistakes li { break-inside: avoid; margin-bottom: 0.8rem; }
pre { background: #f3f4f6; padding: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } h2 { break-after: avoid; } }
)";

bool begins_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::uint32_t{bytes[i + k]} : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return out;
}

Result<std::string> picture_uri(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  constexpr std::array<std::uint8_t, 3> kJpeg = {0xFF, 0xD8, 0xFF};
  if (begins_with(bytes, kPng)) return "data:image/png;base64," + base64(bytes);
  if (begins_with(bytes, kJpeg)) return "data:image/jpeg;base64," + base64(bytes);
  return make_error(ErrorCode::kBadFormat, "a picture is neither PNG nor JPEG");
}

std::string escape_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    out += escape_xml(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

HtmlTable::HtmlTable(std::string_view caption, const std::vector<std::string>& columns) {
  out_ = "<div class=\"wide\"><table>\n<caption>" + escape_xml(caption) + "</caption>\n<thead><tr>";
  for (const std::string& column : columns) {
    out_ += "<th scope=\"col\">" + escape_xml(column) + "</th>";
  }
  out_ += "</tr></thead>\n<tbody>\n";
}

HtmlTable& HtmlTable::row(const std::vector<std::string>& cells) {
  out_ += "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string text = escape_xml(cells[i]);
    out_ += i == 0 ? "<th scope=\"row\">" + text + "</th>" : "<td>" + text + "</td>";
  }
  out_ += "</tr>\n";
  return *this;
}

std::string HtmlTable::html() const {
  return out_ + "</tbody></table></div>\n";
}

std::string html_section(std::string_view id, std::string_view heading, std::string_view body) {
  const std::string name(id);
  return "<section id=\"" + name + "\" class=\"" + name + "\">\n<h2>" + escape_xml(heading) +
         "</h2>\n" + std::string(body) + "</section>\n";
}

std::string html_figure(std::string_view content, std::string_view caption) {
  return "<figure>\n" + std::string(content) + "<figcaption>" + escape_xml(caption) +
         "</figcaption>\n</figure>\n";
}

std::string html_page(std::string_view title, std::string_view body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
         escape_xml(title) + "</title>\n<style>" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n" + std::string(body) + "</body>\n</html>\n";
}

}  // namespace mien::report
