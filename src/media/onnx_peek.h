// Looks into an ONNX file without running anything of it: enough to tell which network it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::media {

struct OnnxValue {
  std::string name;
  std::vector<std::int64_t> dims;  // -1: not fixed
};

struct OnnxSummary {
  std::vector<OnnxValue> inputs;  // without those that are weights
  std::vector<OnnxValue> outputs;
  std::int64_t nodes = 0;
};

// Walks the protocol-buffer fields of onnx.proto3's ModelProto. Error kBadFormat when the bytes are
// no such message or hold no graph.
Result<OnnxSummary> peek_onnx(std::span<const std::uint8_t> bytes);

}  // namespace mien::media
