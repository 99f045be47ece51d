// Entries of a zip archive that lies in memory. Nothing is unpacked before its declared size has
// been weighed against the archive's own (zip bombs), and contents are checked against their CRC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::core::detail {

class ZipReader {
 public:
  // What all entries read from one archive may unpack to: this, plus kMaxExpansion times the
  // archive's size. Trained weights do not compress; only zeros do, and torch stores without
  // compression anyway.
  static constexpr std::uint64_t kFreeBytes = std::uint64_t{16} << 20;
  static constexpr std::uint64_t kMaxExpansion = 64;

  // Whether the bytes start as a zip archive does.
  static bool looks_like_zip(std::span<const std::byte> bytes);

  // `bytes` must outlive the reader. Error kBadFormat when there is no sound central directory.
  static Result<ZipReader> open(std::span<const std::byte> bytes);

  ZipReader(ZipReader&& other) noexcept;
  ZipReader& operator=(ZipReader&& other) noexcept;
  ~ZipReader();

  std::size_t count() const;

  // Name of entry `index` (as stored, any bytes), empty when it has none.
  std::string name(std::size_t index) const;

  // An entry's contents. Errors (context: the entry's name): kNotFound, kUnsupported (encrypted, or
  // packed by another method than deflate), kLimit (larger than `limit` or than the expansion that
  // is allowed), kBadFormat (cut off, damaged).
  Result<std::vector<std::byte>> read(const std::string& entry, std::uint64_t limit);

 private:
  struct State;
  explicit ZipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mien::core::detail
