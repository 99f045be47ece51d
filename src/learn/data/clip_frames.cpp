#include "learn/data/clip_frames.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "media/video_reader.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// Pictures have no times; this is media::SourceOptions' rate.
constexpr double kPicturesPerSecond = 25.0;
// Times written with a few decimals still meet the frame they mean.
constexpr double kTimeSlackS = 1e-6;
constexpr std::int64_t kAllFrames = std::numeric_limits<std::int64_t>::max();

bool before_part(const ClipEntry& clip, double time_s) {
  return time_s < clip.start_s - kTimeSlackS;
}

bool behind_part(const ClipEntry& clip, double time_s) {
  return clip.end_s >= 0.0 && time_s >= clip.end_s - kTimeSlackS;
}

// Which frames of a pass are decoded for whom.
struct Pass {
  std::int64_t stop = kAllFrames;  // frames from this index on are not needed
  std::function<bool(std::int64_t)> wanted;
  FrameVisitor take;
};

Result<std::vector<std::string>> list_pictures(const ClipEntry& clip) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(clip.path, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (name.front() == '.' || !media::has_image_extension(name)) continue;
    if (it->is_regular_file(ignored)) names.push_back(name);
  }
  if (code) return make_error(ErrorCode::kIo, "cannot be listed: " + code.message(), clip.path);
  if (names.empty()) {
    return make_error(ErrorCode::kBadFormat, "a folder without pictures", clip.path);
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double time_s = static_cast<double>(i) / kPicturesPerSecond;
    if (before_part(clip, time_s) || behind_part(clip, time_s)) continue;
    paths.push_back((fs::path(clip.path) / names[i]).string());
  }
  return paths;
}

Result<std::int64_t> pass_over_folder(const ClipEntry& clip, const Pass& pass) {
  MIEN_ASSIGN(const std::vector<std::string> paths, list_pictures(clip));
  const std::int64_t count = std::min(static_cast<std::int64_t>(paths.size()), pass.stop);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!pass.wanted(i)) continue;
    MIEN_ASSIGN(media::Image image, media::read_image(paths[static_cast<std::size_t>(i)]));
    MIEN_TRY(pass.take(i, std::move(image)));
  }
  return count;
}

Result<std::int64_t> pass_over_video(const ClipEntry& clip, const Pass& pass) {
  // open_source() reads standard input for "-"; here it is a file of that name.
  const std::string path = clip.path == "-" ? "./-" : clip.path;
  MIEN_ASSIGN(const std::unique_ptr<media::FrameSource> source, media::open_source(path));
  std::int64_t count = 0;
  while (count < pass.stop) {
    Result<std::optional<media::Frame>> frame = source->next();
    if (!frame.ok()) return frame.error();
    if (!*frame || behind_part(clip, (*frame)->time_s)) break;
    if (before_part(clip, (*frame)->time_s)) continue;
    if (pass.wanted(count)) {
      MIEN_TRY(pass.take(count, std::move((*frame)->rgb)));
    }
    ++count;
  }
  return count;
}

// One pass over the frames in their order; returns how many there were before pass.stop.
Result<std::int64_t> pass_over(const ClipEntry& clip, const Pass& pass) {
  std::error_code code;
  const fs::file_status status = fs::status(clip.path, code);
  const bool folder = fs::is_directory(status);
  // A name that is no file must not be taken for an address or a device.
  if (!folder && !fs::is_regular_file(status)) {
    return make_error(ErrorCode::kNotFound, "no such file or folder", clip.path);
  }
  MIEN_ASSIGN(const std::int64_t count,
              folder ? pass_over_folder(clip, pass) : pass_over_video(clip, pass));
  if (count == 0) {
    return make_error(ErrorCode::kBadFormat, "has no frame in the part that is asked for",
                      clip.path);
  }
  return count;
}

media::Image cut_square(const media::ImageView& image, const FrameSquare& square) {
  media::Image out = media::Image::black(square.side, square.side);
  for (int y = 0; y < square.side; ++y) {
    const std::uint8_t* from = image.row(std::clamp(square.top + y, 0, image.height - 1));
    std::uint8_t* to = out.row(y);
    for (int x = 0; x < square.side; ++x, to += 3) {
      std::copy_n(from + 3 * std::clamp(square.left + x, 0, image.width - 1), 3, to);
    }
  }
  return out;
}

// What is wanted of a decoded frame.
Result<media::Image> shown(const ClipEntry& clip, media::Image image, const FrameSize& size) {
  if (clip.face.side > 0 && !image.empty()) image = cut_square(image, clip.face);
  if (size.width == 0 && size.height == 0) return image;
  return media::resize_bilinear(image, size.width, size.height);
}

Error no_such_frame(std::int64_t index, std::int64_t count, const std::string& path) {
  return make_error(
      ErrorCode::kInvalidArgument,
      "frame " + std::to_string(index) + " of a clip of " + std::to_string(count) + " frames",
      path);
}

}  // namespace

Result<std::int64_t> count_frames(const ClipEntry& clip, std::int64_t most) {
  Pass pass;
  pass.stop = most;
  pass.wanted = [](std::int64_t) { return false; };
  pass.take = [](std::int64_t, const media::Image&) { return Status(); };
  return pass_over(clip, pass);
}

Result<std::vector<media::Image>> read_frames(const ClipEntry& clip,
                                              std::span<const std::int64_t> indices,
                                              const FrameSize& size) {
  std::vector<media::Image> frames(indices.size());
  if (indices.empty()) return frames;
  const auto [least, largest] = std::minmax_element(indices.begin(), indices.end());
  if (*least < 0 || *largest == kAllFrames) {
    return make_error(ErrorCode::kInvalidArgument, "a frame index that cannot be", clip.path);
  }
  // Places in `frames`, by the frame that belongs there.
  std::vector<std::size_t> places(indices.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(),
            [&](std::size_t a, std::size_t b) { return indices[a] < indices[b]; });
  std::size_t next = 0;
  Pass pass;
  pass.stop = *largest + 1;
  pass.wanted = [&](std::int64_t index) {
    return next < places.size() && indices[places[next]] == index;
  };
  pass.take = [&](std::int64_t index, media::Image image) -> Status {
    MIEN_ASSIGN(media::Image frame, shown(clip, std::move(image), size));
    for (; next < places.size() && indices[places[next]] == index; ++next) {
      frames[places[next]] = frame;
    }
    return {};
  };
  MIEN_ASSIGN(const std::int64_t count, pass_over(clip, pass));
  if (count < pass.stop) return no_such_frame(*largest, count, clip.path);
  return frames;
}

Result<std::vector<media::Image>> read_chosen_frames(const ClipEntry& clip,
                                                     const FrameChoice& choose,
                                                     const FrameSize& size,
                                                     std::size_t held_bytes) {
  std::error_code ignored;
  if (fs::is_directory(clip.path, ignored)) {  // its frames are counted without decoding any
    MIEN_ASSIGN(const std::int64_t pictures, count_frames(clip));
    return read_frames(clip, choose(pictures), size);
  }
  std::vector<media::Image> held;
  std::size_t room = held_bytes;
  bool fits = true;
  Pass pass;
  pass.wanted = [&](std::int64_t) { return fits; };
  pass.take = [&](std::int64_t, media::Image image) -> Status {
    MIEN_ASSIGN(media::Image frame, shown(clip, std::move(image), size));
    fits = frame.rgb.size() <= room;
    if (!fits) {
      held.clear();
      return {};
    }
    room -= frame.rgb.size();
    held.push_back(std::move(frame));
    return {};
  };
  MIEN_ASSIGN(const std::int64_t count, pass_over(clip, pass));
  const std::vector<std::int64_t> indices = choose(count);
  if (!fits) return read_frames(clip, indices, size);
  std::vector<media::Image> frames;
  frames.reserve(indices.size());
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= count) return no_such_frame(index, count, clip.path);
    frames.push_back(held[static_cast<std::size_t>(index)]);
  }
  return frames;
}

Result<std::int64_t> visit_frames(const ClipEntry& clip, const FrameVisitor& visit,
                                  const FrameSize& size) {
  Pass pass;
  pass.wanted = [](std::int64_t) { return true; };
  pass.take = [&](std::int64_t index, media::Image image) -> Status {
    MIEN_ASSIGN(media::Image frame, shown(clip, std::move(image), size));
    return visit(index, std::move(frame));
  };
  return pass_over(clip, pass);
}

Status visit_chosen_frames(const ClipEntry& clip, std::span<const std::int64_t> indices,
                           const FrameVisitor& visit, const FrameSize& size) {
  if (indices.empty()) return {};
  std::size_t next = 0;
  Pass pass;
  pass.stop = indices.back() + 1;
  pass.wanted = [&](std::int64_t index) { return next < indices.size() && indices[next] == index; };
  pass.take = [&](std::int64_t index, media::Image image) -> Status {
    ++next;
    MIEN_ASSIGN(media::Image frame, shown(clip, std::move(image), size));
    return visit(index, std::move(frame));
  };
  const Result<std::int64_t> count = pass_over(clip, pass);
  return count ? Status() : Status(count.error());
}

}  // namespace mien::learn
