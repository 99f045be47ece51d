// Whole files in and out: bounded reads, memory maps, and writes that are either complete or
// absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::core {

// Largest file that read_file accepts unless told otherwise: configs, lists and label files are far
// smaller; models are mapped (MappedFile), not read.
inline constexpr std::uint64_t kDefaultReadLimit = std::uint64_t{256} << 20;

// All bytes of a regular file. Errors (context = path): kNotFound, kIo (with the system's reason; a
// directory or device is one too), kLimit when it is larger than `limit` bytes.
Result<std::vector<std::byte>> read_file(const std::string& path,
                                         std::uint64_t limit = kDefaultReadLimit);

// The same as text. No encoding is checked.
Result<std::string> read_text_file(const std::string& path,
                                   std::uint64_t limit = kDefaultReadLimit);

// A file being written under a temporary name in the folder of its final one. Until commit()
// nothing is visible under the final name; without commit() the destructor removes the temporary
// file, so a failed or interrupted writer leaves no half file behind. Only a killed process does:
// see remove_stale_temporaries(). One thread at a time.
class AtomicFile {
 public:
  // Creates the temporary file. Errors as for write().
  static Result<AtomicFile> create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // Appends. Errors: kIo with the system's reason, context = final path.
  Status write(std::span<const std::byte> bytes);
  Status write(const std::string& text);

  // Flushes to the disk and renames over the final name. Call once; write() afterwards is an error.
  Status commit();

  // Where the bytes are until commit(), for libraries that insist on opening a file by name.
  const std::string& temporary_path() const { return temporary_; }

 private:
  AtomicFile(int descriptor, std::string path, std::string temporary);
  void discard() noexcept;

  int descriptor_ = -1;
  std::string path_;
  std::string temporary_;
};

// Writes `bytes` to `path` as AtomicFile does: afterwards the file is whole, or as it was before.
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);
Status write_file_atomically(const std::string& path, const std::string& text);

// Removes the temporary files that killed writers of `path` left beside it, and returns how many:
// files with the names that AtomicFile gives for this very path, and that nobody is writing any
// more (a writer, in any process, holds a lock on its file). What cannot be removed stays; on file
// systems without locks that is all of them.
std::size_t remove_stale_temporaries(const std::string& path);

// A regular file mapped for reading. Movable; the bytes stay where they are as long as the object
// (or the one it was moved into) lives. Whoever shortens the file meanwhile takes the process down
// (SIGBUS), as with any mapping: mien itself replaces files only by rename, which is safe.
class MappedFile {
 public:
  // Errors as for read_file. An empty file maps to no bytes.
  static Result<MappedFile> open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mien::core
