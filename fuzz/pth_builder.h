// Makes small checkpoints, sound and otherwise, for fuzz seeds and tests: an assembler for pickles
// and the two containers around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mien::fuzz {

using Bytes = std::vector<std::byte>;

Bytes to_bytes(const std::string& text);

// Appends opcodes; each call is one opcode or a fixed group of them. Nothing is checked, so broken
// pickles can be made as well.
class PickleBuilder {
 public:
  explicit PickleBuilder(int protocol = 2);

  PickleBuilder& op(char opcode);
  PickleBuilder& raw(const std::string& bytes);
  PickleBuilder& text(const std::string& value);  // BINUNICODE
  PickleBuilder& integer(std::int64_t value);     // BININT1 or LONG1
  PickleBuilder& global(const std::string& module, const std::string& name);
  PickleBuilder& integers(const std::vector<std::int64_t>& values);  // a tuple of them
  PickleBuilder& ordered_dict();                                     // OrderedDict()

  // The persistent id of a storage, e.g. ("FloatStorage", "0", 6).
  PickleBuilder& storage(const std::string& type, const std::string& key, std::int64_t count,
                         bool legacy = false);

  // torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict()), where
  // the storage is on the stack already.
  PickleBuilder& begin_tensor();
  PickleBuilder& end_tensor(std::int64_t offset, const std::vector<std::int64_t>& shape,
                            const std::vector<std::int64_t>& strides);

  // begin_tensor, storage, end_tensor.
  PickleBuilder& tensor(const std::string& type, const std::string& key, std::int64_t count,
                        std::int64_t offset, const std::vector<std::int64_t>& shape,
                        const std::vector<std::int64_t>& strides, bool legacy = false);

  // What was built, ended by STOP.
  std::string done() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

struct ZipEntry {
  std::string name;
  std::string contents;
  bool deflate = false;
};

// A zip archive; empty when libzip refuses (it does not, for sound entries).
Bytes make_zip(const std::vector<ZipEntry>& entries);

// A checkpoint in the zip container: archive/data.pkl, archive/data/0, archive/data/1 ...
Bytes make_zip_checkpoint(const std::string& pickle, const std::vector<std::string>& storages,
                          bool deflate = false);

struct LegacyStorage {
  std::string key;
  std::uint64_t count = 0;
  std::string contents;
};

// A checkpoint in the older container.
Bytes make_legacy_checkpoint(const std::string& pickle, const std::vector<LegacyStorage>& storages,
                             bool little_endian = true);

// `count` f32 values 0, 1, 2 ... as bytes.
std::string f32_ramp(std::size_t count);

}  // namespace mien::fuzz
