// The frames of one clip of a data set, from a folder of pictures or a video file. Needs the media
// libraries, unlike the lists themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "learn/data/clip_lists.h"
#include "media/image.h"

namespace mien::learn {

// The size that frames (or the square ClipEntry::face of them) are brought to by
// media::resize_bilinear, as the papers do: the aspect is not kept. 0 x 0 leaves them as they are.
struct FrameSize {
  int width = 0;
  int height = 0;
};

// What counts as the clip's frames, numbered from 0:
//   a folder      its pictures (media::has_image_extension, names beginning with a dot left out),
//                 sorted by name as bytes: "10.jpg" comes before "2.jpg", as in the papers' code;
//                 for start_s and end_s they come 25 a second
//   a video file  what the decoder gives; a picture file is a video of one frame
// of which those with start_s <= time < end_s (end_s < 0: to the end) are the clip's.
//
// Errors of all functions, with the path as context: kNotFound (nothing there), kBadFormat (a
// folder without pictures, damaged or cut short, no frame between start_s and end_s), kLimit,
// kUnsupported, kIo, and kInvalidArgument for a negative size or one of 0 x n. They may be called
// from several threads at once.

// How many frames there are, at least 1, or `most` (>= 1) where there are more. A folder is only
// listed; a video is decoded from its beginning to the clip's end, since headers only estimate.
Result<std::int64_t> count_frames(const ClipEntry& clip,
                                  std::int64_t most = std::numeric_limits<std::int64_t>::max());

// The frames of these indices in this order; an index may occur more than once and is decoded once.
// A video is read front to back, once, up to the last frame asked for. Error kInvalidArgument for
// an index that the clip does not have.
Result<std::vector<media::Image>> read_frames(const ClipEntry& clip,
                                              std::span<const std::int64_t> indices,
                                              const FrameSize& size = {});

// Says which frames of a clip of `count` frames (at least 1) are wanted; called once.
using FrameChoice = std::function<std::vector<std::int64_t>(std::int64_t count)>;

// What read_chosen_frames holds of a video at most: 1783 frames of 224 x 224, several times what
// the clips of the data sets have.
inline constexpr std::size_t kHeldFrameBytes = std::size_t{256} << 20;

// read_frames(clip, choose(count_frames(clip)), size) with one pass over a video instead of two:
// its frames are held, resized, until their number is known. A video whose frames take more than
// `held_bytes` is read a second time instead. Of a folder only the chosen pictures are decoded.
Result<std::vector<media::Image>> read_chosen_frames(const ClipEntry& clip,
                                                     const FrameChoice& choose,
                                                     const FrameSize& size = {},
                                                     std::size_t held_bytes = kHeldFrameBytes);

// Every frame in one pass, one in memory at a time: visit(index, frame) with index 0, 1, 2 ...; an
// error that it returns ends the pass and is returned. Gives the number of frames.
using FrameVisitor = std::function<Status(std::int64_t index, media::Image frame)>;
Result<std::int64_t> visit_frames(const ClipEntry& clip, const FrameVisitor& visit,
                                  const FrameSize& size = {});

// The same for the frames of these indices alone, which rise, each once; those that the clip does
// not have are passed over.
Status visit_chosen_frames(const ClipEntry& clip, std::span<const std::int64_t> indices,
                           const FrameVisitor& visit, const FrameSize& size = {});

}  // namespace mien::learn
