#include "media/onnx_peek.h"

#include <algorithm>
#include <optional>
#include <set>

namespace mien::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Field numbers of onnx.proto3.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphNode = 1;
constexpr std::uint32_t kGraphInitializer = 5;
constexpr std::uint32_t kGraphInput = 11;
constexpr std::uint32_t kGraphOutput = 12;
constexpr std::uint32_t kTensorName = 8;

struct Field {
  std::uint32_t number = 0;
  std::uint32_t wire = 0;   // 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
  std::uint64_t value = 0;  // of a varint
  Bytes bytes;              // of wire type 2
};

// Reads one field after the other; `bad` once the bytes are no protocol-buffer message.
class Walker {
 public:
  explicit Walker(Bytes bytes) : rest_(bytes) {}
  bool bad() const { return bad_; }

  std::optional<Field> next() {
    if (rest_.empty() || bad_) return std::nullopt;
    Field field;
    const std::uint64_t key = varint();
    field.number = static_cast<std::uint32_t>(key >> 3);
    field.wire = static_cast<std::uint32_t>(key & 7);
    std::uint64_t length = 0;
    switch (field.wire) {
      case 0: field.value = varint(); break;
      case 1: length = 8; break;
      case 2: length = varint(); break;
      case 5: length = 4; break;
      default: bad_ = true;
    }
    if (field.number == 0 || length > rest_.size()) bad_ = true;
    if (bad_) return std::nullopt;
    field.bytes = rest_.first(length);
    rest_ = rest_.subspan(length);
    return field;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const std::uint8_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    bad_ = true;
    return 0;
  }

  Bytes rest_;
  bool bad_ = false;
};

std::string text(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// The bytes of the first field of that number; empty when there is none.
Bytes inner(Bytes message, std::uint32_t number) {
  Walker walker(message);
  while (const auto field = walker.next()) {
    if (field->number == number && field->wire == 2) return field->bytes;
  }
  return {};
}

// ValueInfoProto{name = 1, type = 2 {tensor_type = 1 {shape = 2 {dim = 1 {dim_value = 1}}}}}.
OnnxValue value_info(Bytes message) {
  OnnxValue out;
  out.name = text(inner(message, 1));
  Walker dims(inner(inner(inner(message, 2), 1), 2));
  constexpr std::size_t kMostDims = 16;
  while (const auto dim = dims.next()) {
    if (dim->number != 1 || dim->wire != 2 || out.dims.size() == kMostDims) continue;
    std::int64_t size = -1;
    Walker parts(dim->bytes);
    while (const auto part = parts.next()) {
      if (part->number == 1 && part->wire == 0) size = static_cast<std::int64_t>(part->value);
    }
    out.dims.push_back(size > 0 ? size : -1);
  }
  return out;
}

}  // namespace

Result<OnnxSummary> peek_onnx(Bytes bytes) {
  const Error not_onnx = make_error(ErrorCode::kBadFormat, "not an ONNX file, or cut short");
  OnnxSummary out;
  Walker model(bytes);
  Bytes graph;
  while (const auto field = model.next()) {
    if (field->number == kModelGraph && field->wire == 2) graph = field->bytes;
  }
  if (model.bad() || graph.empty()) return not_onnx;
  std::set<std::string> weights;
  Walker walker(graph);
  while (const auto field = walker.next()) {
    if (field->wire != 2) continue;
    switch (field->number) {
      case kGraphNode: ++out.nodes; break;
      case kGraphInitializer: weights.insert(text(inner(field->bytes, kTensorName))); break;
      case kGraphInput: out.inputs.push_back(value_info(field->bytes)); break;
      case kGraphOutput: out.outputs.push_back(value_info(field->bytes)); break;
      default: break;
    }
  }
  if (walker.bad() || out.nodes == 0 || out.outputs.empty()) return not_onnx;
  // Files of the first ONNX versions list weights among the inputs.
  std::erase_if(out.inputs, [&](const OnnxValue& v) { return weights.count(v.name) != 0; });
  return out;
}

}  // namespace mien::media
