// Reads a Python pickle as data: a tree of what the pickle says, with nothing of it carried out.
// Where Python would import a name or call a function, we write down the name, or "call of X with
// arguments Y", and go on; what such a node means is for the reader of the tree to decide (see
// pth_objects.h). There is no way from here to a library, a file or a process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"

namespace mien::core::detail {

// Most bytes and opcodes of one pickle. A checkpoint's pickle has some 30 opcodes and 100 bytes per
// tensor, so this is room for 60,000 tensors; an opcode makes at most one node of some 80 bytes, so
// a hostile pickle costs at most 200 MB.
inline constexpr std::size_t kMaxPickleBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPickleOpcodes = 2'000'000;

enum class PickleKind : std::uint8_t {
  kNone,
  kBool,        // integer
  kInt,         // integer: fits in 64 bits
  kLong,        // text: a wider integer, little-endian two's complement
  kFloat,       // value not kept
  kString,      // text
  kBytes,       // text
  kTuple,       // items
  kList,        // items
  kSet,         // items
  kDict,        // items: key, value, key, value ...
  kGlobal,      // module + text: a name that Python would import
  kCall,        // callee(arguments); items: key, value ... that were set on the result
  kPersistent,  // arguments: the persistent id (torch: a storage)
};

using PickleId = std::uint32_t;  // index in Pickle::nodes

struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  PickleId callee = 0;
  PickleId arguments = 0;
  std::int64_t integer = 0;
  std::string_view text;    // points into the pickle's bytes
  std::string_view module;  // points into the pickle's bytes
  std::vector<PickleId> items;
};

struct Pickle {
  std::vector<PickleNode> nodes;  // containers refer to each other, possibly in circles
  PickleId root = 0;
  std::size_t size = 0;  // bytes read, the STOP opcode included

  const PickleNode& node(PickleId id) const { return nodes[id]; }
};

// Reads one pickle from the start of `bytes`, which must outlive the result and may go on after it.
// Knows the opcodes that protocols 2 to 5 write. Errors: kBadFormat (cut off, stack or memo
// misused), kUnsupported (other opcodes), kLimit.
Result<Pickle> read_pickle(std::span<const std::byte> bytes);

}  // namespace mien::core::detail
