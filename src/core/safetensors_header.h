// The JSON header of a .safetensors file as it stands there, before its numbers are believed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::core::detail {

// One entry of the header: offsets count from the end of the header.
struct HeaderEntry {
  DType dtype = DType::kF32;
  Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, HeaderEntry> tensors;
  std::map<std::string, std::string> metadata;
};

// Parses the JSON text alone. Beyond JSON's own rules it wants: an object of objects, each name and
// each field once, fields dtype + shape + data_offsets and no other, whole numbers that are not
// negative, at most 64 dimensions, string metadata. It does not relate offsets to shapes or to a
// file.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view json);

}  // namespace mien::core::detail
