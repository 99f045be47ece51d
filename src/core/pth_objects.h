// What a checkpoint's pickle means to torch: its storages, and the tensors reachable through its
// dictionaries and lists. The only callables given a meaning are torch's tensor rebuilders and the
// dictionary types; every other object is noted and left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/pickle.h"
#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::core::detail {

// A storage as the pickle declares it; its elements are elsewhere in the file.
struct PthStorage {
  std::optional<DType> dtype;    // nothing for types that we lack (complex, quantised)
  std::size_t element_size = 0;  // 0 when not even that is known
  std::uint64_t count = 0;       // elements, of which at least as many bytes as fit in 2^62
};

// A strided view of one storage; not yet compared with the storage's size.
struct PthTensor {
  std::string path;
  std::string storage;       // key
  std::uint64_t offset = 0;  // elements
  Shape shape;
  std::vector<std::int64_t> strides;  // elements
};

struct PthObjects {
  std::map<std::string, PthStorage> storages;  // every one in the pickle, by key
  std::vector<PthTensor> tensors;              // all with a known dtype
  std::set<std::string> top_level_dicts;
  std::vector<std::string> ignored;
};

// Errors: kBadFormat (a storage or tensor whose description does not hold together, one storage key
// with two descriptions), kLimit (nested more than 100 deep, more than 100,000 tensors, paths
// longer than 4096 bytes, more than a million steps: dictionaries that contain each other many
// times over).
Result<PthObjects> read_pth_objects(const Pickle& pickle);

}  // namespace mien::core::detail
