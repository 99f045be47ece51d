// Reads and writes .safetensors files: an 8-byte little-endian header length, a JSON header, data.
// https://github.com/huggingface/safetensors describes the format; the checks are those of its
// official reader. Bytes from a file are hostile: nothing here trusts a number it has not checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::core {

using SafetensorsMetadata = std::map<std::string, std::string>;

// Longest JSON header accepted: the official reader's limit.
inline constexpr std::size_t kMaxSafetensorsHeader = 100'000'000;

// What a file holds. Views point into the bytes that were parsed, or, where a tensor does not lie
// on a multiple of its element size (the format does not promise it), into `realigned`. So every
// view may be used through TensorView::as. Move-only, because a copy's views would point into the
// original.
struct SafetensorsContent {
  TensorViewMap tensors;
  SafetensorsMetadata metadata;
  std::vector<std::vector<std::byte>> realigned;

  SafetensorsContent() = default;
  SafetensorsContent(SafetensorsContent&&) = default;
  SafetensorsContent& operator=(SafetensorsContent&&) = default;
  SafetensorsContent(const SafetensorsContent&) = delete;
  SafetensorsContent& operator=(const SafetensorsContent&) = delete;
};

// Parses the bytes of a whole file, which must outlive the views. Errors: kBadFormat (no complete
// header, not the format's JSON, a name twice, sizes that do not agree with the offsets, tensors
// that overlap or leave holes, bytes after the last tensor), kLimit (header too long, shape too
// large), kUnsupported (an element type that we lack). The context is the tensor's name where there
// is one.
Result<SafetensorsContent> parse_safetensors(std::span<const std::byte> bytes);

// A .safetensors file mapped into memory. Views live as long as the object, and survive its moves.
// Const use from many threads is safe.
class SafetensorsFile {
 public:
  // Errors as parse_safetensors and MappedFile::open, with the path as context.
  static Result<SafetensorsFile> open(const std::string& path);

  const TensorViewMap& tensors() const { return content_.tensors; }
  const SafetensorsMetadata& metadata() const { return content_.metadata; }
  const std::string& path() const { return path_; }

  // One tensor; error kNotFound names the file and the tensor.
  Result<TensorView> find(const std::string& name) const;

 private:
  SafetensorsFile(std::string path, MappedFile file, SafetensorsContent content);

  std::string path_;
  MappedFile file_;
  SafetensorsContent content_;
};

// Writes a file atomically (see AtomicFile). The bytes depend on nothing but the arguments: widest
// element types first and then by name (so that every tensor is aligned, as the official writer
// does it), the header padded with blanks so that the data starts at a multiple of 8. Errors:
// kInvalidArgument (bytes that do not fit the shape, a name or metadata that is not UTF-8, the
// reserved name "__metadata__"), kIo.
Status write_safetensors(const std::string& path, const TensorViewMap& tensors,
                         const SafetensorsMetadata& metadata = {});

// The same bytes in memory.
Result<std::vector<std::byte>> serialize_safetensors(const TensorViewMap& tensors,
                                                     const SafetensorsMetadata& metadata = {});

// Views of owned tensors, e.g. to write them. Valid as long as `tensors` is unchanged.
TensorViewMap views_of(const TensorMap& tensors);

}  // namespace mien::core
