#include "learn/data/clip_store.h"

#include <cmath>
#include <utility>

namespace mien::learn {

Status check_frame_indices(std::span<const std::int64_t> indices, std::int64_t count,
                           const std::string& id) {
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= count) {
      return make_error(
          ErrorCode::kInvalidArgument,
          "has no frame " + std::to_string(index) + " among its " + std::to_string(count), id);
    }
  }
  return {};
}

bool fits_classes(std::span<const float> soft_target, std::size_t classes) {
  if (soft_target.empty()) return true;
  if (soft_target.size() != classes) return false;
  double sum = 0.0;
  for (const float value : soft_target) {
    if (!std::isfinite(value) || value < 0.0F) return false;
    sum += static_cast<double>(value);
  }
  return sum > 0.0;
}

MemoryClipStore::MemoryClipStore(std::vector<std::string> classes, int side,
                                 std::vector<MemoryClip> clips)
    : classes_(std::move(classes)), side_(side), clips_(std::move(clips)) {}

Result<MemoryClipStore> MemoryClipStore::create(std::vector<std::string> classes, int side,
                                                std::vector<MemoryClip> clips) {
  if (side < 1) return make_error(ErrorCode::kInvalidArgument, "clips need a side of 1 or more");
  MemoryClipStore store(std::move(classes), side, std::move(clips));
  for (const MemoryClip& clip : store.clips_) {
    if (clip.pixels.empty() || clip.pixels.size() % store.frame_bytes() != 0) {
      return make_error(ErrorCode::kInvalidArgument, "is no whole number of frames", clip.id);
    }
    if (clip.label < -1 || clip.label >= static_cast<int>(store.classes_.size()) ||
        !fits_classes(clip.soft_target, store.classes_.size())) {
      return make_error(ErrorCode::kInvalidArgument, "has a label outside the classes", clip.id);
    }
  }
  return store;
}

std::size_t MemoryClipStore::frame_bytes() const {
  return static_cast<std::size_t>(side_) * static_cast<std::size_t>(side_) * 3;
}

std::int64_t MemoryClipStore::frame_count(std::size_t clip) const {
  return static_cast<std::int64_t>(clips_[clip].pixels.size() / frame_bytes());
}

Result<std::vector<std::uint8_t>> MemoryClipStore::frames(
    std::size_t clip, std::span<const std::int64_t> indices) const {
  if (clip >= clips_.size())
    return make_error(ErrorCode::kInvalidArgument, "there is no such clip");
  MIEN_TRY(check_frame_indices(indices, frame_count(clip), clips_[clip].id));
  std::vector<std::uint8_t> out;
  out.reserve(indices.size() * frame_bytes());
  for (const std::int64_t index : indices) {
    const std::span<const std::uint8_t> pixels(clips_[clip].pixels);
    const auto frame =
        pixels.subspan(static_cast<std::size_t>(index) * frame_bytes(), frame_bytes());
    out.insert(out.end(), frame.begin(), frame.end());
  }
  return out;
}

}  // namespace mien::learn
