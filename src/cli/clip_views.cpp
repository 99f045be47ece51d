#include "cli/clip_views.h"

#include "learn/data/clip_frames.h"
#include "media/frame_rules.h"

namespace mien::cli {
namespace {

// The frames of all views, one view after the other.
std::vector<std::int64_t> view_indices(std::int64_t frames, const ViewOptions& options) {
  const auto loaded = media::test_loaded_indices(frames, options.length, options.rate);
  std::vector<std::int64_t> all;
  for (int segment = 0; segment < options.segments; ++segment) {
    const auto view =
        media::test_segment_indices(loaded, options.length, segment, options.segments);
    all.insert(all.end(), view.begin(), view.end());
  }
  return all;
}

// Where the face is, when `faces` is there to find it.
Result<learn::FrameSquare> find_face(const learn::ClipEntry& clip, learn::FaceFinder* faces) {
  if (faces == nullptr) return learn::FrameSquare{};
  MIEN_ASSIGN(const std::int64_t frames, learn::count_frames(clip));
  return faces->find(clip, frames);
}

}  // namespace

Result<ClipViews> read_views(learn::ClipEntry clip, learn::FaceFinder* faces,
                             const ViewOptions& options) {
  ClipViews views;
  const auto face = find_face(clip, faces);
  if (!face) {
    views.problem = face.error().to_string();
    return views;
  }
  clip.face = views.face = *face;
  const auto choose = [&](std::int64_t count) {
    views.frames = count;
    views.indices = view_indices(count, options);
    return views.indices;
  };
  const auto frames = learn::read_chosen_frames(clip, choose, {options.side, options.side});
  if (!frames) {
    views.problem = frames.error().to_string();
    return views;
  }
  for (const media::Image& frame : *frames) {
    views.pixels.insert(views.pixels.end(), frame.rgb.begin(), frame.rgb.end());
  }
  return views;
}

}  // namespace mien::cli
