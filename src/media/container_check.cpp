#include "media/container_check.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>

namespace mien::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// An EBML number (RFC 8794, 4): leading zero bits tell its length. As an ID the marker bit stays,
// as a size it goes, and all ones mean "unknown".
struct EbmlNumber {
  std::uint64_t value = 0;
  std::size_t length = 0;
  bool unknown = false;
};

std::optional<EbmlNumber> read_number(Bytes bytes, bool keep_marker) {
  if (bytes.empty() || bytes[0] == 0) return std::nullopt;
  EbmlNumber out;
  out.length = 1;
  std::uint8_t marker = 0x80;
  while ((bytes[0] & marker) == 0) {
    marker >>= 1;
    ++out.length;
  }
  if (bytes.size() < out.length) return std::nullopt;
  out.value = keep_marker ? bytes[0] : bytes[0] & (marker - 1U);
  bool ones = (bytes[0] & (marker - 1U)) == marker - 1U;
  for (std::size_t i = 1; i < out.length; ++i) {
    out.value = (out.value << 8) | bytes[i];
    ones = ones && bytes[i] == 0xFF;
  }
  out.unknown = ones;
  return out;
}

// An EBML header, then one Segment that holds everything else.
bool matroska_cut_off(Bytes head, std::uint64_t file_size) {
  constexpr std::uint64_t kEbml = 0x1A45DFA3;
  constexpr std::uint64_t kSegment = 0x18538067;
  std::uint64_t at = 0;
  for (const std::uint64_t wanted : {kEbml, kSegment}) {
    if (at >= head.size()) return false;
    const auto id = read_number(head.subspan(at), true);
    if (!id || id->value != wanted || at + id->length >= head.size()) return false;
    const auto size = read_number(head.subspan(at + id->length), false);
    if (!size || size->unknown) return false;
    const std::uint64_t begin = at + id->length + size->length;
    if (wanted == kSegment) return size->value > file_size || begin + size->value > file_size;
    if (size->value > head.size()) return false;
    at = begin + size->value;
  }
  return false;
}

bool riff_cut_off(Bytes head, std::uint64_t file_size) {
  std::uint64_t size = 0;
  for (int i = 3; i >= 0; --i) size = (size << 8) | head[4 + i];
  // 0 and all ones are what recorders write that never came back to fill it in.
  return size != 0 && size != 0xFFFFFFFF && size + 8 > file_size;
}

}  // namespace

bool container_cut_off(const std::string& path) {
  std::error_code code;
  const std::uint64_t file_size = std::filesystem::file_size(path, code);
  std::ifstream file(path, std::ios::binary);
  std::array<std::uint8_t, 4096> buffer{};
  file.read(reinterpret_cast<char*>(buffer.data()), buffer.size());
  const Bytes head(buffer.data(), static_cast<std::size_t>(file.gcount()));
  if (code || head.size() < 12) return false;
  if (std::memcmp(head.data(), "RIFF", 4) == 0 && std::memcmp(head.data() + 8, "AVI ", 4) == 0) {
    return riff_cut_off(head, file_size);
  }
  return matroska_cut_off(head, file_size);
}

}  // namespace mien::media
