// Batches of augmented clips, made ahead of the training step by background threads; and the views
// that an evaluation takes of clips.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "learn/data/clip_augment.h"
#include "learn/data/clip_store.h"
#include "learn/data/ordered_workers.h"

namespace mien::learn {

struct ClipBatch {
  torch::Tensor clips;              // [B, 3, T, S, S] f32, normalised
  torch::Tensor target;             // [B, classes] f32, rows sum to 1 (to 0 without a label)
  torch::Tensor label;              // [B] i64; -1: none
  torch::Tensor course;             // [B, T] f32, ClipStore::course of its frames; NaN: unknown
  std::vector<std::int64_t> index;  // [B]: which clip of the store
};

// Which frames of a stored clip a network sees.
enum class ClipTiming {
  kPaperRule,   // clip_len of them, `rate` apart, by media/frame_rules.h
  kTimeWindow,  // all: every clip of the store has clip_len frames, spread over its time already
};

struct ClipLoaderOptions {
  int batch = 8;      // clips (rows are batch * repeats)
  int clip_len = 16;  // T
  int rate = 1;
  int size = 224;  // S: frames are brought to it by media::resize_bilinear, as in the recipes,
                   // unless they are stored at that size
  ClipTiming timing = ClipTiming::kPaperRule;
  int repeats = 1;        // repeated augmentation: rows per clip, of the same frames, one after the
                          // other (the official num_sample)
  bool drop_last = true;  // leave out the clips of a pass that do not fill a batch
  bool unlabelled = false;  // clips without a label take part as well
  double balance = 0.0;     // 0: as the data is; 1: every class equally often (oversampling)
  std::uint64_t seed = 1;
  int workers = 2;        // threads; 0: next() makes the batch itself
  int prefetch = 4;       // batches made, or in the making, ahead
  core::InputNorm input;  // mean, std and grey, as the model file will say
  ClipAugmentOptions augment;
};

// What loading alone can do.
struct LoadingRate {
  std::int64_t clips = 0;
  double seconds = 0.0;
  double clips_per_s() const { return seconds > 0.0 ? static_cast<double>(clips) / seconds : 0.0; }
};

// Endless batches, pass (epoch) after pass over the clips that have a label or a soft target (or
// over all, with `unlabelled`). What stands at a position of an epoch, which frames of it and how
// it is augmented is a function of seed, epoch and position: batch k of a seed is always the same,
// whatever the number of workers, and training can resume anywhere. The store must outlive the
// loader. start(), next() and measure_loading() are for one thread.
//
// The workers compute without LibTorch's thread pools, so that every one of them takes one core and
// no more from the training.
class ClipLoader {
 public:
  // Errors: kInvalidArgument (sizes, counts; under kTimeWindow a clip of another length, with its
  // id as context), kNotFound (no labelled clip, or with drop_last fewer than a batch),
  // kUnsupported (frames stored at another size in a build without media).
  static Result<std::unique_ptr<ClipLoader>> create(const ClipStore& store,
                                                    ClipLoaderOptions options);

  const ClipLoaderOptions& options() const { return options_; }
  std::int64_t usable() const { return static_cast<std::int64_t>(usable_.size()); }
  std::int64_t batches_per_epoch() const;

  void start(std::int64_t first_batch);  // begins (again) at that batch, counted from 0
  // The next batch. Errors as ClipStore::frames: a run should end on one, or what it learnt from is
  // not what it says. Calls start(0) if nothing was started.
  Result<ClipBatch> next();

  // Batch number `index`, computed here and now (tests; next() gives the same).
  Result<ClipBatch> make(std::int64_t index) const;

  // Seconds that next() waited for its batch, since the loader was made.
  double waited_seconds() const { return waited_; }

  // Loads batches from the first on for about `seconds` with the loader's own workers, and nothing
  // else done meanwhile. Stops what start() began. Errors as next().
  Result<LoadingRate> measure_loading(double seconds);

 private:
  ClipLoader(const ClipStore& store, ClipLoaderOptions options);
  void weigh();
  std::unique_ptr<OrderedWorkers<ClipBatch>> workers_from(std::int64_t first_batch) const;
  std::vector<std::size_t> pick(std::int64_t epoch, std::int64_t first, std::int64_t count) const;

  const ClipStore& store_;
  ClipLoaderOptions options_;
  std::vector<std::size_t> usable_;
  std::vector<double> cumulative_;  // for balanced drawing; empty otherwise
  mutable std::mutex order_mutex_;
  mutable std::int64_t order_epoch_ = -1;
  mutable std::vector<std::size_t> order_;  // of order_epoch_
  double waited_ = 0.0;
  std::unique_ptr<OrderedWorkers<ClipBatch>> workers_;  // last: they use all of the above
};

// How an evaluation looks at a clip (NOTES.md section 4, "Evaluation"). The papers' spatial crops
// are no part of it: frames are made square before they are cropped, so all crops of a segment are
// the same picture and the mean over segments is the mean over all views.
struct EvalView {
  enum class Rule {
    kTest,        // segment `segment` of `segments`: the first and the last clip_len frames for 2
    kValidation,  // one view by the training rule, its end drawn from the seed and the clip's
                  // number
  };
  Rule rule = Rule::kTest;
  int segment = 0;
  int segments = 2;
};

// The frames of clip number `clip` with `frames` frames that a view shows, clip_len of them. Under
// kTimeWindow all views are the clip. Empty for sizes or a segment that cannot be.
std::vector<std::int64_t> view_frames(std::int64_t frames, std::size_t clip,
                                      const ClipLoaderOptions& options, const EvalView& view);

// One view of each of `clips` (numbers in the store), without augmentation. Uses clip_len, rate,
// size, timing, seed and input of `options`. Thread-safe. Errors: kInvalidArgument
// (no such clip, a view that cannot be), and as ClipStore::frames.
Result<ClipBatch> plain_clip_batch(const ClipStore& store, std::span<const std::size_t> clips,
                                   const ClipLoaderOptions& options, const EvalView& view);

}  // namespace mien::learn
