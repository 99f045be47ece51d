#include "learn/data/clip_cache_writer.h"

#include <bit>
#include <filesystem>
#include <string_view>
#include <utility>

#include "learn/data/clip_faces.h"
#include "learn/data/clip_frames.h"
#include "learn/data/ordered_workers.h"
#include "learn/data/still_formats.h"
#include "media/image.h"

namespace mien::learn {
namespace {

namespace fs = std::filesystem;

// FNV-1a, 64 bits. Every text goes in with its length, so that neighbours cannot run together.
class Fingerprint {
 public:
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i) & 0xFF));
  }
  void text(std::string_view value) {
    number(value.size());
    for (const char c : value) byte(static_cast<std::uint8_t>(c));
  }
  std::uint64_t value() const { return hash_; }

 private:
  void byte(std::uint8_t value) { hash_ = (hash_ ^ value) * 1099511628211ULL; }
  std::uint64_t hash_ = 14695981039346656037ULL;
};

// Name, size and time of change; 0 for what cannot be asked (it is then missing in the same way
// next time).
std::uint64_t file_state(const fs::path& path) {
  std::error_code error;
  Fingerprint print;
  print.text(path.filename().string());
  const std::uintmax_t size = fs::file_size(path, error);
  print.number(error ? 0 : size);
  const auto time = fs::last_write_time(path, error);
  print.number(error ? 0 : static_cast<std::uint64_t>(time.time_since_epoch().count()));
  return print.value();
}

// Of a video, or of a folder of frames. The sum makes the order of a folder's entries irrelevant.
std::uint64_t source_state(const std::string& path) {
  std::uint64_t sum = file_state(path);
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    sum += file_state(at->path());
  }
  return sum;
}

Status check(const ClipList& list, const ClipCacheOptions& options) {
  if (options.side < 1 || options.side > kMaxClipSide) {
    return make_error(ErrorCode::kInvalidArgument,
                      "the side of cached frames must be 1 to " + std::to_string(kMaxClipSide));
  }
  if (options.quality < 1 || options.quality > 100) {
    return make_error(ErrorCode::kInvalidArgument, "the JPEG quality must be 1 to 100");
  }
  if (list.clips.empty()) return make_error(ErrorCode::kNotFound, "the list has no clips");
  for (const ClipEntry& clip : list.clips) {
    if (clip.label < -1 || clip.label >= static_cast<int>(list.classes.size())) {
      return make_error(ErrorCode::kInvalidArgument, "has a label outside the classes", clip.id);
    }
  }
  return {};
}

using Bytes = std::vector<std::uint8_t>;

Result<Bytes> pack_frame(const media::Image& image, const ClipCacheOptions& options) {
  if (image.width != options.side || image.height != options.side) {
    return make_error(ErrorCode::kInternal, "a frame was read at another size");
  }
  if (!options.gray) {
    if (options.storage == ClipStorage::kRaw) return image.rgb;
    return media::encode_jpeg(image, options.quality);
  }
  Bytes luma = luma_of(image);
  if (options.storage == ClipStorage::kRaw) return luma;
  media::Image gray = media::Image::black(image.width, image.height);
  for (std::size_t i = 0; i < gray.rgb.size(); ++i) gray.rgb[i] = luma[i / 3];
  return media::encode_jpeg(gray, options.quality);
}

// A clip's frames as they will stand in the file. `faces` is null for whole frames.
Result<std::vector<Bytes>> pack_clip(ClipEntry entry, const ClipCacheOptions& options,
                                     FaceFinder* faces) {
  if (faces != nullptr) {
    MIEN_ASSIGN(const std::int64_t count, count_frames(entry, options.max_frames));
    MIEN_ASSIGN(entry.face, faces->find(entry, count));
  }
  std::vector<Bytes> out;
  const auto keep = [&](std::int64_t index, const media::Image& image) -> Status {
    if (index >= options.max_frames) {
      return make_error(ErrorCode::kLimit, "has more than " + std::to_string(options.max_frames) +
                                               " frames, which is no clip");
    }
    MIEN_ASSIGN(Bytes frame, pack_frame(image, options));
    out.push_back(std::move(frame));
    return {};
  };
  MIEN_TRY(visit_frames(entry, keep, {options.side, options.side}));
  if (out.empty()) return make_error(ErrorCode::kBadFormat, "has no frames", entry.path);
  return out;
}

// Why a clip is not in the cache, without repeating its path.
std::string reason_of(const Error& error, const std::string& path) {
  if (error.context == path) return error.message;
  if (!error.context.starts_with(path + "/")) return error.to_string();
  return Error{error.code, error.message, error.context.substr(path.size() + 1)}.to_string();
}

// Appends a clip's frames to the file and to the index.
Status append(core::AtomicFile& file, const ClipEntry& entry, const std::vector<Bytes>& frames,
              ClipIndex& index, std::uint64_t& offset) {
  CachedClip clip;
  clip.id = entry.id;
  clip.group = entry.group;
  clip.label = entry.label;
  clip.first_frame = index.frames.size();
  clip.frame_count = frames.size();
  for (const Bytes& frame : frames) {
    const auto bytes = std::as_bytes(std::span(frame));
    MIEN_TRY(file.write(bytes));
    index.frames.push_back({offset, static_cast<std::uint32_t>(bytes.size()), clip_crc(bytes)});
    offset += bytes.size();
  }
  index.clips.push_back(std::move(clip));
  return {};
}

// All clips into `file`, in the order of the list.
Result<ClipIndex> write_clips(core::AtomicFile& file, const ClipList& list,
                              const ClipCacheOptions& options, FaceFinder* faces,
                              std::uint64_t& offset) {
  ClipIndex index;
  index.side = options.side;
  index.channels = options.gray && options.storage == ClipStorage::kRaw ? 1 : 3;
  index.storage = options.storage;
  index.classes = list.classes;
  const std::size_t total = list.clips.size();
  OrderedWorkers<std::vector<Bytes>> workers(
      [&](std::int64_t i) {
        return pack_clip(list.clips[static_cast<std::size_t>(i)], options, faces);
      },
      0, static_cast<std::int64_t>(total), options.threads, 2 * options.threads);
  for (std::size_t i = 0; i < total; ++i) {
    if (options.cancel != nullptr && options.cancel->load()) {
      return make_error(ErrorCode::kCancelled, "stopped while decoding the clips");
    }
    const ClipEntry& entry = list.clips[i];
    const Result<std::vector<Bytes>> packed = workers.next();
    if (packed) {
      MIEN_TRY(append(file, entry, *packed, index, offset));
    } else if (options.strict) {
      return packed.error().within(entry.id);
    } else {
      index.problems.push_back({entry.id, entry.path, reason_of(packed.error(), entry.path)});
    }
    if (options.progress) options.progress(i + 1, total);
  }
  return index;
}

}  // namespace

Result<ClipStorage> clip_storage_from_name(const std::string& name) {
  if (name == "jpeg") return ClipStorage::kJpeg;
  if (name == "raw") return ClipStorage::kRaw;
  return make_error(ErrorCode::kInvalidArgument, "clips are stored as jpeg or raw", name);
}

std::uint64_t clip_fingerprint(const ClipList& list, const ClipCacheOptions& options) {
  Fingerprint print;
  print.number(kClipCacheVersion);
  print.number(static_cast<std::uint64_t>(options.side));
  print.number(static_cast<std::uint64_t>(options.storage));
  print.number(options.storage == ClipStorage::kJpeg ? static_cast<std::uint64_t>(options.quality)
                                                     : 0);
  print.number(options.gray ? 1 : 0);
  print.number(static_cast<std::uint64_t>(options.max_frames));
  if (!options.face_detector.empty()) {
    print.number(kFaceRule);
    print.text(options.face_detector);
    print.number(file_state(options.face_detector));
  }
  print.number(list.classes.size());
  for (const std::string& name : list.classes) print.text(name);
  print.number(list.clips.size());
  for (const ClipEntry& clip : list.clips) {
    print.text(clip.id);
    print.text(clip.group);
    print.text(clip.path);
    print.number(static_cast<std::uint64_t>(clip.label));
    print.number(std::bit_cast<std::uint64_t>(clip.start_s));
    print.number(std::bit_cast<std::uint64_t>(clip.end_s));
    if (clip.face.side > 0) {
      for (const int value : {clip.face.left, clip.face.top, clip.face.side}) {
        print.number(static_cast<std::uint64_t>(value));
      }
    }
    print.number(source_state(clip.path));
  }
  return print.value();
}

Status write_clip_cache(const std::string& path, const ClipList& list,
                        const ClipCacheOptions& options) {
  MIEN_TRY(check(list, options));
  std::unique_ptr<FaceFinder> faces;
  if (!options.face_detector.empty()) {
    MIEN_ASSIGN(faces, FaceFinder::create(options.face_detector));
  }
  // Before the decoding: a file that changes meanwhile makes the cache out of date.
  const std::uint64_t fingerprint = clip_fingerprint(list, options);
  std::error_code ignored;  // a folder that cannot be made is one that the file cannot be made in
  fs::create_directories(fs::path(path).parent_path(), ignored);
  core::remove_stale_temporaries(path);
  MIEN_ASSIGN(core::AtomicFile file, core::AtomicFile::create(path));
  MIEN_TRY(file.write(clip_cache_magic()));
  std::uint64_t offset = clip_cache_magic().size();
  MIEN_ASSIGN(ClipIndex index, write_clips(file, list, options, faces.get(), offset));
  if (index.clips.empty()) {
    const ClipProblem& first = index.problems.front();
    return make_error(ErrorCode::kBadFormat, "none of the clips can be read: " + first.reason,
                      first.id);
  }
  index.fingerprint = fingerprint;
  MIEN_TRY(file.write(clip_index_bytes(index, offset)));
  return file.commit();
}

Result<OpenedClipCache> open_clip_cache(const std::string& path, const ClipList& list,
                                        const ClipCacheOptions& options) {
  OpenedClipCache out;
  auto found = ClipCache::open(path);
  if (!found) {
    out.built_because = found.error().to_string();
  } else if ((*found)->fingerprint() != clip_fingerprint(list, options)) {
    out.built_because = path + ": the clips or the settings have changed";
  }
  if (!out.built_because.empty()) {
    MIEN_TRY(write_clip_cache(path, list, options));
    found = ClipCache::open(path);
    if (!found) return found.error();
  }
  out.cache = std::move(*found);
  if (options.strict && !out.cache->problems().empty()) {
    const ClipProblem& first = out.cache->problems().front();
    return make_error(ErrorCode::kBadFormat, first.reason, first.id);
  }
  return out;
}

}  // namespace mien::learn
