#include "core/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/safetensors_header.h"

namespace mien::core {
namespace {

using detail::HeaderEntry;
using detail::SafetensorsHeader;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;

// The header's length is little-endian on every machine.
std::uint64_t load_length(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

Result<std::string_view> header_text(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) {
    return make_error(ErrorCode::kBadFormat, "is too short for a safetensors file: " +
                                                 std::to_string(bytes.size()) + " bytes");
  }
  const std::uint64_t length = load_length(bytes);
  if (length > kMaxSafetensorsHeader) {
    return make_error(ErrorCode::kLimit, "claims a header of " + std::to_string(length) +
                                             " bytes: damaged, or no safetensors file");
  }
  if (length > bytes.size() - kLengthBytes) {
    return make_error(ErrorCode::kBadFormat,
                      "ends inside its header of " + std::to_string(length) + " bytes");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes,
                              static_cast<std::size_t>(length));
  if (text.empty() || text.front() != '{') {
    return make_error(ErrorCode::kBadFormat, "the header does not start with '{'");
  }
  return text;
}

Status check_size(const HeaderEntry& entry) {
  if (entry.end < entry.begin) {
    return make_error(ErrorCode::kBadFormat, "ends at " + std::to_string(entry.end) +
                                                 " before it begins at " +
                                                 std::to_string(entry.begin));
  }
  MIEN_ASSIGN(const std::size_t count, checked_element_count(entry.shape));
  // count <= 2^62, so this test cannot overflow where the product could.
  const std::uint64_t size = dtype_size(entry.dtype);
  const std::uint64_t given = entry.end - entry.begin;
  if (given % size != 0 || given / size != count) {
    return make_error(ErrorCode::kBadFormat,
                      std::string(dtype_name(entry.dtype)) + shape_string(entry.shape) +
                          " does not fit in its " + std::to_string(given) + " bytes");
  }
  return {};
}

// The data must be tiled by the tensors: no overlap, no hole, nothing before or after.
Status check_layout(const SafetensorsHeader& header, std::uint64_t data_size) {
  std::vector<std::pair<const HeaderEntry*, const std::string*>> order;
  order.reserve(header.tensors.size());
  for (const auto& [name, entry] : header.tensors) order.emplace_back(&entry, &name);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
  });
  std::uint64_t at = 0;
  for (const auto& [entry, name] : order) {
    if (entry->begin < at) {
      return make_error(ErrorCode::kBadFormat, "overlaps the tensor before it", *name);
    }
    if (entry->begin > at) {
      return make_error(ErrorCode::kBadFormat, "leaves a hole before it", *name);
    }
    at = entry->end;
    if (at > data_size) {
      return make_error(ErrorCode::kBadFormat,
                        "ends " + std::to_string(at - data_size) + " bytes after the file", *name);
    }
  }
  if (at < data_size) {
    return make_error(ErrorCode::kBadFormat,
                      "has " + std::to_string(data_size - at) + " bytes after its last tensor");
  }
  return {};
}

bool is_aligned(const std::byte* data, std::size_t size) {
  return reinterpret_cast<std::uintptr_t>(data) % size == 0;
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

std::string header_entry(const std::string& name, const TensorView& tensor, std::uint64_t begin) {
  std::string shape;
  for (const std::int64_t size : tensor.shape) {
    shape += (shape.empty() ? "" : ",") + std::to_string(size);
  }
  return quoted(name) + R"(:{"dtype":")" + dtype_name(tensor.dtype) + R"(","shape":[)" + shape +
         R"(],"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(begin + tensor.bytes.size()) + "]}";
}

using Entry = std::pair<const std::string, TensorView>;

// A file ready to be written: the length and header, then each tensor's bytes in order.
struct Layout {
  std::string head;
  std::vector<const Entry*> order;
};

Result<Layout> lay_out(const TensorViewMap& tensors, const SafetensorsMetadata& metadata) {
  Layout layout;
  for (const Entry& entry : tensors) {
    const auto& [name, tensor] = entry;
    if (name == "__metadata__") {
      return make_error(ErrorCode::kInvalidArgument, "is not possible as a tensor's name", name);
    }
    const Result<std::size_t> count = checked_element_count(tensor.shape);
    if (!count || *count != tensor.bytes.size() / dtype_size(tensor.dtype) ||
        tensor.bytes.size() % dtype_size(tensor.dtype) != 0) {
      return make_error(ErrorCode::kInvalidArgument,
                        std::string(dtype_name(tensor.dtype)) + shape_string(tensor.shape) +
                            " with " + std::to_string(tensor.bytes.size()) + " bytes",
                        name);
    }
    layout.order.push_back(&entry);
  }
  std::stable_sort(layout.order.begin(), layout.order.end(), [](const Entry* a, const Entry* b) {
    return dtype_size(a->second.dtype) > dtype_size(b->second.dtype);
  });
  std::string json;
  try {
    if (!metadata.empty()) json = R"("__metadata__":)" + nlohmann::json(metadata).dump();
    std::uint64_t at = 0;
    for (const Entry* entry : layout.order) {
      json += (json.empty() ? "" : ",") + header_entry(entry->first, entry->second, at);
      at += entry->second.bytes.size();
    }
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::kInvalidArgument,
                      std::string("a name or metadata is not UTF-8: ") + e.what());
  }
  json = "{" + json + "}";
  json.resize((json.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (json.size() > kMaxSafetensorsHeader) {
    return make_error(ErrorCode::kInvalidArgument, "the header would be too long to be read back");
  }
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    layout.head += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  }
  layout.head += json;
  return layout;
}

}  // namespace

Result<SafetensorsContent> parse_safetensors(std::span<const std::byte> bytes) {
  MIEN_ASSIGN(const std::string_view text, header_text(bytes));
  MIEN_ASSIGN(SafetensorsHeader header, detail::parse_safetensors_header(text));
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + text.size());
  for (const auto& [name, entry] : header.tensors) {
    if (const Status status = check_size(entry); !status) return status.error().within(name);
  }
  MIEN_TRY(check_layout(header, data.size()));

  SafetensorsContent content;
  content.metadata = std::move(header.metadata);
  for (auto& [name, entry] : header.tensors) {
    std::span<const std::byte> place = data.subspan(
        static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.end - entry.begin));
    if (!place.empty() && !is_aligned(place.data(), dtype_size(entry.dtype))) {
      content.realigned.emplace_back(place.begin(), place.end());
      place = content.realigned.back();
    }
    content.tensors.emplace(name, TensorView{entry.dtype, std::move(entry.shape), place});
  }
  return content;
}

SafetensorsFile::SafetensorsFile(std::string path, MappedFile file, SafetensorsContent content)
    : path_(std::move(path)), file_(std::move(file)), content_(std::move(content)) {}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  MIEN_ASSIGN(MappedFile file, MappedFile::open(path));
  Result<SafetensorsContent> content = parse_safetensors(file.bytes());
  if (!content) return content.error().within(path);
  return SafetensorsFile(path, std::move(file), std::move(*content));
}

Result<TensorView> SafetensorsFile::find(const std::string& name) const {
  const auto at = content_.tensors.find(name);
  if (at == content_.tensors.end()) {
    return make_error(ErrorCode::kNotFound, "has no tensor '" + name + "'", path_);
  }
  return at->second;
}

Status write_safetensors(const std::string& path, const TensorViewMap& tensors,
                         const SafetensorsMetadata& metadata) {
  Result<Layout> layout = lay_out(tensors, metadata);
  if (!layout) return layout.error().within(path);
  MIEN_ASSIGN(AtomicFile file, AtomicFile::create(path));
  MIEN_TRY(file.write(layout->head));
  for (const Entry* entry : layout->order) MIEN_TRY(file.write(entry->second.bytes));
  return file.commit();
}

Result<std::vector<std::byte>> serialize_safetensors(const TensorViewMap& tensors,
                                                     const SafetensorsMetadata& metadata) {
  MIEN_ASSIGN(const Layout layout, lay_out(tensors, metadata));
  const auto head = std::as_bytes(std::span(layout.head.data(), layout.head.size()));
  std::vector<std::byte> out(head.begin(), head.end());
  for (const Entry* entry : layout.order) {
    out.insert(out.end(), entry->second.bytes.begin(), entry->second.bytes.end());
  }
  return out;
}

TensorViewMap views_of(const TensorMap& tensors) {
  TensorViewMap views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, tensor.view());
  return views;
}

}  // namespace mien::core
