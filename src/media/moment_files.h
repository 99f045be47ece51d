// How composed clips get onto the disk. Inside this folder only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::media {

// A folder that appears whole or not at all: files are written into a hidden one beside it.
// Unless commit() is called, the destructor removes that. One thread.
class WholeFolder {
 public:
  // `path` must not exist, or be empty, or be an earlier one of these (it then holds the file
  // `marker`), which commit() replaces. Errors, context = path: kInvalidArgument (holds other
  // files), kIo.
  static Result<WholeFolder> create(const std::string& path, const std::string& marker);

  WholeFolder(WholeFolder&& other) noexcept;
  WholeFolder& operator=(WholeFolder&&) = delete;
  WholeFolder(const WholeFolder&) = delete;
  WholeFolder& operator=(const WholeFolder&) = delete;
  ~WholeFolder();

  // Writes a file into the folder; folders in its name are made. Error kIo.
  Status write(const std::string& name, std::span<const std::uint8_t> bytes) const;
  Status write(const std::string& name, const std::string& text) const;

  // Gives the folder its name. Call once. Error kIo.
  Status commit();

 private:
  WholeFolder(std::string path, std::string temporary);

  std::string path_;
  std::string temporary_;  // "" when there is nothing to remove
};

// An 8-bit grey PNG of width x height bytes, rows first. The pixels are stored, not compressed
// (deflate has blocks for that), so that the file does not depend on a compressor's version, and
// camera noise would hardly shrink anyway. Sizes >= 1, at most 65535.
std::vector<std::uint8_t> encode_plain_png(std::span<const std::uint8_t> grey, int width,
                                           int height);

// A field of a CSV row: in quotes where it needs them (RFC 4180).
std::string csv_field(const std::string& text);

}  // namespace mien::media
