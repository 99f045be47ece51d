// The decoded clips of a list in one indexed file, mapped into memory: reading frame 1000 of clip
// 9000 costs one JPEG, not a video seek. Made by clip_cache_writer.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "learn/data/clip_index.h"
#include "learn/data/clip_store.h"

namespace mien::learn {

class ClipCache : public ClipStore {
 public:
  // Maps the file and checks its index (not yet the frames: they are checked as they are read).
  // Errors, with the path as context: kNotFound, kIo, kBadFormat (cut short, changed, something
  // else), kUnsupported (another version; JPEG frames in a build without media).
  static Result<std::unique_ptr<ClipCache>> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t fingerprint() const { return index_.fingerprint; }  // see clip_fingerprint()
  // The clips of the list that could not be read when the cache was made.
  const std::vector<ClipProblem>& problems() const { return index_.problems; }

  const std::vector<std::string>& classes() const override { return index_.classes; }
  int side() const override { return index_.side; }
  std::size_t size() const override { return index_.clips.size(); }
  const std::string& id(std::size_t clip) const override { return index_.clips[clip].id; }
  const std::string& group(std::size_t clip) const override { return index_.clips[clip].group; }
  int label(std::size_t clip) const override { return index_.clips[clip].label; }
  std::span<const float> soft_target(std::size_t clip) const override {
    return index_.clips[clip].soft_target;
  }
  std::int64_t frame_count(std::size_t clip) const override {
    return static_cast<std::int64_t>(index_.clips[clip].frame_count);
  }
  // Errors besides those of the interface: kBadFormat (context: path and clip) where the bytes of a
  // frame are not those that were written.
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override;

 private:
  ClipCache(std::string path, core::MappedFile file, ClipIndex index);
  Status unpack(const CachedFrame& frame, std::span<std::uint8_t> out) const;

  std::string path_;
  core::MappedFile file_;
  ClipIndex index_;
};

}  // namespace mien::learn
