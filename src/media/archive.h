// Reads what data sets come in: .tar, .tar.gz and single .gz files, entry by entry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::media {

struct ArchiveLimits {
  std::int64_t max_entry_bytes = 256LL << 20;  // unpacked size of one entry
  std::int64_t max_entries = 10'000'000;
};

struct ArchiveEntry {
  std::string name;  // as stored; not to be used as a path on this machine unchecked
  std::vector<std::uint8_t> bytes;
};

// A tar file (plain or gzip), read once from front to back; only regular files are returned. One
// thread.
class ArchiveReader {
 public:
  // Errors: kNotFound, kIo, kBadFormat (not a tar file); context = path.
  static Result<ArchiveReader> open(const std::string& path, const ArchiveLimits& limits = {});
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  // The next file; nullopt after the last. Errors: kBadFormat (cut short, damaged), kLimit.
  Result<std::optional<ArchiveEntry>> next();

 private:
  struct Impl;
  explicit ArchiveReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The whole content of a file, unpacked when it is gzip (by its first bytes, not its name). Errors:
// kNotFound, kIo, kBadFormat (damaged or cut short), kLimit (more than max_bytes once unpacked).
Result<std::string> read_maybe_gzip(const std::string& path, std::int64_t max_bytes = 256LL << 20);

}  // namespace mien::media
