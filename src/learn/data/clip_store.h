// Where a loader gets decoded clips from: a small interface, and clips in memory behind it. The
// clips of a file are ClipCache.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

// Decoded, labelled clips of square frames. Everything is const and may be called from many threads
// at once. The accessors by clip need clip < size(); frames() checks it.
class ClipStore {
 public:
  virtual ~ClipStore() = default;

  virtual const std::vector<std::string>& classes() const = 0;
  virtual int side() const = 0;  // pixels, of every frame
  virtual std::size_t size() const = 0;

  virtual const std::string& id(std::size_t clip) const = 0;
  // Who or what the clip belongs to (an actor, a scene); "" when unknown.
  virtual const std::string& group(std::size_t clip) const = 0;
  // Index into classes(); -1: none.
  virtual int label(std::size_t clip) const = 0;
  // Distribution over classes(); empty: the label is all there is.
  virtual std::span<const float> soft_target(std::size_t clip) const = 0;
  virtual std::int64_t frame_count(std::size_t clip) const = 0;  // >= 1
  // How strongly each of its frames shows the clip's class, 0..1; empty: unknown.
  virtual std::vector<float> course(std::size_t clip) const {
    (void)clip;
    return {};
  }

  // The frames of those indices (in any order, repeated or not): u8 RGB [n, side, side, 3]. Errors:
  // kInvalidArgument (no such clip or frame), and what reading the frames can give.
  virtual Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                                   std::span<const std::int64_t> indices) const = 0;
};

// A clip as MemoryClipStore holds it.
struct MemoryClip {
  std::string id;
  std::string group;
  int label = -1;
  std::vector<float> soft_target;
  std::vector<std::uint8_t> pixels;  // [frames, side, side, 3]
};

class MemoryClipStore : public ClipStore {
 public:
  // Error kInvalidArgument (context: the clip's id): side < 1, pixels that are no whole number of
  // frames (at least one), a label or soft target that does not fit the classes.
  static Result<MemoryClipStore> create(std::vector<std::string> classes, int side,
                                        std::vector<MemoryClip> clips);

  const std::vector<std::string>& classes() const override { return classes_; }
  int side() const override { return side_; }
  std::size_t size() const override { return clips_.size(); }
  const std::string& id(std::size_t clip) const override { return clips_[clip].id; }
  const std::string& group(std::size_t clip) const override { return clips_[clip].group; }
  int label(std::size_t clip) const override { return clips_[clip].label; }
  std::span<const float> soft_target(std::size_t clip) const override {
    return clips_[clip].soft_target;
  }
  std::int64_t frame_count(std::size_t clip) const override;
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override;

 private:
  MemoryClipStore(std::vector<std::string> classes, int side, std::vector<MemoryClip> clips);
  std::size_t frame_bytes() const;

  std::vector<std::string> classes_;
  int side_ = 0;
  std::vector<MemoryClip> clips_;
};

// Shared by the stores: kInvalidArgument unless every index is in [0, count).
Status check_frame_indices(std::span<const std::int64_t> indices, std::int64_t count,
                           const std::string& id);

// Whether a soft target fits: empty, or one finite value >= 0 per class with a positive sum.
bool fits_classes(std::span<const float> soft_target, std::size_t classes);

}  // namespace mien::learn
