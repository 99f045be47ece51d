#include "media/moment_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

namespace mien::media {
namespace {

namespace fs = std::filesystem;

Error io_error(const std::string& path, const std::error_code& code) {
  return make_error(ErrorCode::kIo, code.message(), path);
}

// "a/b/", "a/./b" and "a/b" name the same folder; its temporary one must lie beside it.
std::string plain_path(const std::string& path, std::error_code& code) {
  std::string out = fs::absolute(path, code).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

void put_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// CRC-32 of ISO 3309, as the PNG specification, annex D, has it.
std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

std::uint32_t crc_of(std::span<const std::uint8_t> bytes) {
  static const std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t c = 0xFFFFFFFFU;
  for (const std::uint8_t byte : bytes) c = kTable[(c ^ byte) & 0xFF] ^ (c >> 8);
  return c ^ 0xFFFFFFFFU;
}

std::uint32_t adler_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const std::uint8_t byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

// zlib's wrapping (RFC 1950) of stored blocks (RFC 1951, 3.2.4).
std::vector<std::uint8_t> store(std::span<const std::uint8_t> raw) {
  constexpr std::size_t kBlock = 65535;
  std::vector<std::uint8_t> out;
  out.push_back(0x78);  // deflate with a window of 32 KiB
  out.push_back(0x01);  // the check bits that go with it
  for (std::size_t at = 0; at < raw.size(); at += kBlock) {
    const auto block = raw.subspan(at, std::min(kBlock, raw.size() - at));
    const auto length = static_cast<std::uint16_t>(block.size());
    const auto inverse = static_cast<std::uint16_t>(~length);
    out.push_back(at + block.size() == raw.size() ? 1 : 0);
    out.push_back(static_cast<std::uint8_t>(length & 0xFF));
    out.push_back(static_cast<std::uint8_t>(length >> 8));
    out.push_back(static_cast<std::uint8_t>(inverse & 0xFF));
    out.push_back(static_cast<std::uint8_t>(inverse >> 8));
    out.insert(out.end(), block.begin(), block.end());
  }
  put_u32(out, adler_of(raw));
  return out;
}

void put_chunk(std::vector<std::uint8_t>& out, const char* type,
               std::span<const std::uint8_t> data) {
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(type[i]));
  out.insert(out.end(), data.begin(), data.end());
  put_u32(out, crc_of(std::span(out).subspan(begin)));
}

}  // namespace

WholeFolder::WholeFolder(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

WholeFolder::WholeFolder(WholeFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}

WholeFolder::~WholeFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<WholeFolder> WholeFolder::create(const std::string& path, const std::string& marker) {
  if (path.empty()) return make_error(ErrorCode::kInvalidArgument, "no folder is named");
  std::error_code code;
  const std::string final_path = plain_path(path, code);
  if (code) return io_error(path, code);
  if (fs::exists(final_path, code)) {
    if (!fs::is_directory(final_path, code)) {
      return make_error(ErrorCode::kIo, "exists and is no folder", path);
    }
    const bool empty = fs::is_empty(final_path, code);
    if (code) return io_error(path, code);
    if (!empty && !fs::exists(fs::path(final_path) / marker, code)) {
      return make_error(ErrorCode::kInvalidArgument, "holds other files; name a new folder", path);
    }
  }
  fs::path temporary(final_path);
  temporary.replace_filename("." + temporary.filename().string() + ".part-" +
                             std::to_string(::getpid()));
  fs::remove_all(temporary, code);
  code.clear();
  fs::create_directories(temporary, code);
  if (code) return io_error(path, code);
  return WholeFolder(final_path, temporary.string());
}

Status WholeFolder::write(const std::string& name, std::span<const std::uint8_t> bytes) const {
  const fs::path file = fs::path(temporary_) / name;
  const std::string shown = (fs::path(path_) / name).string();
  std::error_code code;
  fs::create_directories(file.parent_path(), code);
  if (code) return io_error(shown, code);
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) return make_error(ErrorCode::kIo, "cannot be written", shown);
  return {};
}

Status WholeFolder::write(const std::string& name, const std::string& text) const {
  return write(name, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

Status WholeFolder::commit() {
  std::error_code code;
  const std::string old = temporary_ + ".old";
  const bool replaces = fs::exists(path_, code);
  if (replaces) {
    // Moved aside first: whatever happens next, nothing that was whole is lost half-way.
    fs::rename(path_, old, code);
    if (code) return io_error(path_, code);
  }
  fs::rename(temporary_, path_, code);
  if (code) {
    std::error_code ignored;
    if (replaces) fs::rename(old, path_, ignored);
    return io_error(path_, code);
  }
  temporary_.clear();
  if (replaces) fs::remove_all(old, code);
  return {};
}

std::vector<std::uint8_t> encode_plain_png(std::span<const std::uint8_t> grey, int width,
                                           int height) {
  const auto row = static_cast<std::size_t>(width);
  std::vector<std::uint8_t> raw;
  raw.reserve((row + 1) * static_cast<std::size_t>(height));
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    raw.push_back(0);  // no filter
    const auto line = grey.subspan(y * row, row);
    raw.insert(raw.end(), line.begin(), line.end());
  }
  std::vector<std::uint8_t> header;
  put_u32(header, static_cast<std::uint32_t>(width));
  put_u32(header, static_cast<std::uint32_t>(height));
  // 8 bits, grey, deflate, the standard's filters, not interlaced.
  for (const int byte : {8, 0, 0, 0, 0}) header.push_back(static_cast<std::uint8_t>(byte));
  std::vector<std::uint8_t> out;
  for (const int byte : {0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A}) {
    out.push_back(static_cast<std::uint8_t>(byte));
  }
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", store(raw));
  put_chunk(out, "IEND", {});
  return out;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace mien::media
