// Makes clip caches from the clips of a dataset, and knows when one is out of date. Needs media.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "learn/data/clip_cache.h"
#include "learn/data/clip_lists.h"

namespace mien::learn {

struct ClipCacheOptions {
  int side = 160;  // frames are resized to a square of this, as the papers do; 1..kMaxClipSide
  ClipStorage storage = ClipStorage::kJpeg;
  int quality = 95;   // of JPEG, 1..100
  bool gray = false;  // ITU-R 601 luma alone, for models whose input is grey
  // What finds the face that every clip is cut to (FaceFinder): "haar" or a file. Empty: frames are
  // taken whole.
  std::string face_detector;
  std::int64_t max_frames = 4096;  // a longer clip is a problem: a worker holds all its frames
  int threads = 2;                 // 0: in the caller's thread
  bool strict = false;             // the first clip that cannot be read is an error
  std::function<void(std::size_t done, std::size_t total)> progress;  // in the caller's thread
  const std::atomic<bool>* cancel = nullptr;                          // set to stop: kCancelled
};

// "jpeg" or "raw". Error kInvalidArgument for anything else.
Result<ClipStorage> clip_storage_from_name(const std::string& name);

// Identifies what a cache of this list would hold: classes, ids, groups, labels, paths and times of
// the clips, size and time of change of every file behind them, and the settings that change the
// bytes, with the file of the face detector where it is one (not threads, strict and the
// callbacks). FNV-1a, 64 bits.
std::uint64_t clip_fingerprint(const ClipList& list, const ClipCacheOptions& options);

// Decodes every clip of `list` and writes the cache under a temporary name, renamed when whole;
// temporary files that killed writers of this path left behind are removed first. The bytes do not
// depend on the number of threads. Clips that cannot be read, or in which no face was found, become
// problems of the cache. Errors: kInvalidArgument (settings, labels outside the classes), kNotFound
// (the list is empty), those of FaceFinder::create, the reason of a problem (with `strict`, or when
// no clip at all could be read), kCancelled, kIo.
Status write_clip_cache(const std::string& path, const ClipList& list,
                        const ClipCacheOptions& options);

struct OpenedClipCache {
  std::unique_ptr<ClipCache> cache;
  std::string built_because;  // one line; empty: the cache that was there is up to date
};

// The cache of `list` at `path`, made (again) where it is absent, damaged or out of date. Errors as
// write_clip_cache; with `strict` a problem of an older run is one too.
Result<OpenedClipCache> open_clip_cache(const std::string& path, const ClipList& list,
                                        const ClipCacheOptions& options);

}  // namespace mien::learn
