#include "learn/data/clip_loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "learn/data/rng.h"
#include "media/frame_rules.h"
#ifdef MIEN_WITH_MEDIA
#include "media/image.h"
#endif

namespace mien::learn {
namespace {

using Clock = std::chrono::steady_clock;

// What is drawn for, so that no two purposes share their numbers.
enum Purpose : std::uint64_t {
  kOrder = 0xC11,
  kBalance = 0xBA1A,
  kEnd = 0xE2D,
  kAugment = 0xA06,
  kValidation = 0x7A1
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Status check(const ClipStore& store, const ClipLoaderOptions& options) {
  if (options.batch < 1 || options.clip_len < 1 || options.rate < 1 || options.size < 1 ||
      options.repeats < 1) {
    return make_error(ErrorCode::kInvalidArgument,
                      "batch, clip length, rate, size and repeats must be 1 or more");
  }
  if (!(options.balance >= 0.0) || !std::isfinite(options.balance)) {
    return make_error(ErrorCode::kInvalidArgument, "balance must be 0 or more");
  }
#ifdef MIEN_WITH_MEDIA
  (void)store;
#else
  if (store.side() != options.size) {
    return make_error(ErrorCode::kUnsupported, "frames stored at " + std::to_string(store.side()) +
                                                   " pixels cannot be used at " +
                                                   std::to_string(options.size) +
                                                   " without the media libraries");
  }
#endif
  return {};
}

bool usable(const ClipStore& store, std::size_t clip) {
  return store.label(clip) >= 0 || !store.soft_target(clip).empty();
}

// A batch without pixels yet, for `rows` rows.
ClipBatch empty_batch(const ClipStore& store, std::int64_t rows, const ClipLoaderOptions& options) {
  const auto classes = static_cast<std::int64_t>(store.classes().size());
  ClipBatch batch;
  batch.clips =
      torch::empty({rows, 3, options.clip_len, options.size, options.size}, torch::kFloat);
  batch.target = torch::zeros({rows, classes}, torch::kFloat);
  batch.label = torch::empty({rows}, torch::kLong);
  batch.course = torch::full({rows, options.clip_len}, std::numeric_limits<float>::quiet_NaN());
  batch.index.resize(static_cast<std::size_t>(rows));
  return batch;
}

void set_label(const ClipStore& store, std::size_t clip, std::int64_t row, ClipBatch& batch) {
  const int label = store.label(clip);
  const std::span<const float> soft = store.soft_target(clip);
  float* target = batch.target.data_ptr<float>() + row * batch.target.size(1);
  if (!soft.empty()) {
    const float sum = std::accumulate(soft.begin(), soft.end(), 0.0F);
    for (std::size_t c = 0; c < soft.size(); ++c) target[c] = soft[c] / sum;
  } else if (label >= 0) {
    target[label] = 1.0F;
  }
  batch.label.data_ptr<std::int64_t>()[row] = label;
  batch.index[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(clip);
}

void set_course(std::span<const float> course, std::span<const std::int64_t> indices,
                std::int64_t row, ClipBatch& batch) {
  if (course.empty()) return;
  float* out = batch.course.data_ptr<float>() + row * batch.course.size(1);
  for (const std::int64_t frame : indices) *out++ = course[static_cast<std::size_t>(frame)];
}

std::vector<std::int64_t> all_frames(std::int64_t frames) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(frames));
  std::iota(out.begin(), out.end(), std::int64_t{0});
  return out;
}

// The frames of a training sample; the end of its range is drawn from the seed.
std::vector<std::int64_t> drawn_frames(std::int64_t frames, const ClipLoaderOptions& options,
                                       std::uint64_t seed) {
  if (options.timing == ClipTiming::kTimeWindow) return all_frames(frames);
  const media::EndRange range = media::train_end_range(frames, options.clip_len, options.rate);
  std::int64_t end = 0;
  if (range.last > range.first) {
    const auto room = static_cast<std::uint64_t>(range.last - range.first);
    end = range.first + static_cast<std::int64_t>(Rng(seed).below(room));
  }
  return media::train_indices(frames, options.clip_len, options.rate, end);
}

// Frames [n, S, S, 3] of a clip at the network's size.
Result<std::vector<std::uint8_t>> read_at_size(const ClipStore& store, std::size_t clip,
                                               std::span<const std::int64_t> indices, int size) {
  MIEN_ASSIGN(std::vector<std::uint8_t> stored, store.frames(clip, indices));
  if (store.side() == size) return stored;
#ifdef MIEN_WITH_MEDIA
  const auto row_bytes = static_cast<std::size_t>(store.side()) * 3;
  const std::size_t frame_bytes = row_bytes * static_cast<std::size_t>(store.side());
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const media::ImageView frame{store.side(), store.side(), row_bytes,
                                 stored.data() + i * frame_bytes};
    MIEN_ASSIGN(const media::Image image, media::resize_bilinear(frame, size, size));
    out.insert(out.end(), image.rgb.begin(), image.rgb.end());
  }
  return out;
#else
  return make_error(ErrorCode::kUnsupported, "frames of another size need the media libraries",
                    store.id(clip));
#endif
}

ClipView view_of(std::span<const std::uint8_t> frames, const ClipLoaderOptions& options) {
  return {{options.clip_len, options.size, options.size}, frames};
}

// Puts a finished clip [3, T, S, S] and its target into a row.
void set_row(const ClipStore& store, std::size_t clip, const torch::Tensor& pixels,
             std::int64_t row, ClipBatch& batch) {
  const std::int64_t count = batch.clips.stride(0);
  std::copy_n(pixels.data_ptr<float>(), count, batch.clips.data_ptr<float>() + row * count);
  set_label(store, clip, row, batch);
}

}  // namespace

ClipLoader::ClipLoader(const ClipStore& store, ClipLoaderOptions options)
    : store_(store), options_(std::move(options)) {}

Result<std::unique_ptr<ClipLoader>> ClipLoader::create(const ClipStore& store,
                                                       ClipLoaderOptions options) {
  MIEN_TRY(check(store, options));
  std::unique_ptr<ClipLoader> loader(new ClipLoader(store, std::move(options)));
  for (std::size_t clip = 0; clip < store.size(); ++clip) {
    if (!loader->options_.unlabelled && !learn::usable(store, clip)) continue;
    if (loader->options_.timing == ClipTiming::kTimeWindow &&
        store.frame_count(clip) != loader->options_.clip_len) {
      return make_error(ErrorCode::kInvalidArgument,
                        "has " + std::to_string(store.frame_count(clip)) + " frames, not the " +
                            std::to_string(loader->options_.clip_len) + " of a clip",
                        store.id(clip));
    }
    loader->usable_.push_back(clip);
  }
  if (loader->usable_.empty()) return make_error(ErrorCode::kNotFound, "no clip has a label");
  if (loader->batches_per_epoch() == 0) {
    return make_error(ErrorCode::kNotFound,
                      "the " + std::to_string(loader->usable()) + " clips do not fill one batch");
  }
  if (loader->options_.balance > 0.0) loader->weigh();
  return loader;
}

// Probability weights 1 / count^balance of a clip's class, summed up along the clips.
void ClipLoader::weigh() {
  const auto slot = [&](std::size_t clip) {
    return static_cast<std::size_t>(store_.label(clip) + 1);
  };
  std::vector<double> counts(store_.classes().size() + 1, 0.0);
  for (const std::size_t clip : usable_) counts[slot(clip)] += 1.0;
  double sum = 0.0;
  for (const std::size_t clip : usable_) {
    sum += std::pow(counts[slot(clip)], -options_.balance);
    cumulative_.push_back(sum);
  }
}

std::int64_t ClipLoader::batches_per_epoch() const {
  const std::int64_t whole = usable() / options_.batch;
  return options_.drop_last || usable() % options_.batch == 0 ? whole : whole + 1;
}

std::unique_ptr<OrderedWorkers<ClipBatch>> ClipLoader::workers_from(
    std::int64_t first_batch) const {
  return std::make_unique<OrderedWorkers<ClipBatch>>(
      [this](std::int64_t index) { return make(index); }, first_batch,
      std::numeric_limits<std::int64_t>::max(), options_.workers, options_.prefetch);
}

void ClipLoader::start(std::int64_t first_batch) {
  workers_.reset();  // before the new ones begin: two sets would share the cores
  workers_ = workers_from(std::max<std::int64_t>(first_batch, 0));
}

Result<ClipBatch> ClipLoader::next() {
  if (!workers_) start(0);
  const auto begin = Clock::now();
  Result<ClipBatch> batch = workers_->next();
  waited_ += seconds_since(begin);
  return batch;
}

Result<LoadingRate> ClipLoader::measure_loading(double seconds) {
  workers_.reset();
  // The first batch opens files and fills caches: it does not count.
  if (auto first = workers_from(0)->next(); !first) return first.error();
  const auto begin = Clock::now();
  const auto workers = workers_from(0);
  LoadingRate rate;
  do {
    MIEN_ASSIGN(const ClipBatch batch, workers->next());
    rate.clips += batch.clips.size(0);
    rate.seconds = seconds_since(begin);
  } while (rate.seconds < seconds);
  return rate;
}

// The clips at positions first .. first + count of an epoch: a new permutation per epoch, or, when
// balancing, independent draws.
std::vector<std::size_t> ClipLoader::pick(std::int64_t epoch, std::int64_t first,
                                          std::int64_t count) const {
  std::vector<std::size_t> out;
  if (!cumulative_.empty()) {
    const std::uint64_t base = Rng::mix(options_.seed, kBalance, static_cast<std::uint64_t>(epoch));
    for (std::int64_t i = 0; i < count; ++i) {
      Rng rng(Rng::mix(base, static_cast<std::uint64_t>(first + i)));
      const double at = rng.uniform() * cumulative_.back();
      const auto it = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
      const auto slot = static_cast<std::size_t>(it - cumulative_.begin());
      out.push_back(usable_[std::min(slot, usable_.size() - 1)]);
    }
    return out;
  }
  const std::lock_guard lock(order_mutex_);
  if (epoch != order_epoch_) {
    order_ = usable_;
    Rng rng(Rng::mix(options_.seed, kOrder, static_cast<std::uint64_t>(epoch)));
    for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[rng.below(i)]);
    order_epoch_ = epoch;
  }
  const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(first);
  out.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  return out;
}

Result<ClipBatch> ClipLoader::make(std::int64_t index) const {
  const std::int64_t epoch = index / batches_per_epoch();
  const std::int64_t first = index % batches_per_epoch() * options_.batch;
  const std::int64_t count = std::min<std::int64_t>(options_.batch, usable() - first);
  const std::vector<std::size_t> clips = pick(epoch, first, count);
  ClipBatch batch = empty_batch(store_, count * options_.repeats, options_);
  std::int64_t row = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t clip = clips[static_cast<std::size_t>(i)];
    const std::uint64_t sample_seed = Rng::mix(options_.seed, static_cast<std::uint64_t>(epoch),
                                               static_cast<std::uint64_t>(first + i));
    const auto indices =
        drawn_frames(store_.frame_count(clip), options_, Rng::mix(sample_seed, kEnd));
    MIEN_ASSIGN(const std::vector<std::uint8_t> frames,
                read_at_size(store_, clip, indices, options_.size));
    const ClipView view = view_of(frames, options_);
    const std::vector<float> course = store_.course(clip);
    for (int repeat = 0; repeat < options_.repeats; ++repeat, ++row) {
      Rng rng(Rng::mix(sample_seed, kAugment, static_cast<std::uint64_t>(repeat)));
      set_row(store_, clip,
              augment_clip(view, options_.size, options_.input, options_.augment, rng), row, batch);
      set_course(course, indices, row, batch);
    }
  }
  return batch;
}

std::vector<std::int64_t> view_frames(std::int64_t frames, std::size_t clip,
                                      const ClipLoaderOptions& options, const EvalView& view) {
  if (view.segments < 1 || view.segment < 0 || view.segment >= view.segments) return {};
  if (options.timing == ClipTiming::kTimeWindow) {
    return frames == options.clip_len ? all_frames(frames) : std::vector<std::int64_t>{};
  }
  if (view.rule == EvalView::Rule::kTest) {
    const auto loaded = media::test_loaded_indices(frames, options.clip_len, options.rate);
    return media::test_segment_indices(loaded, options.clip_len, view.segment, view.segments);
  }
  return drawn_frames(frames, options, Rng::mix(options.seed, kValidation, clip));
}

Result<ClipBatch> plain_clip_batch(const ClipStore& store, std::span<const std::size_t> clips,
                                   const ClipLoaderOptions& options, const EvalView& view) {
  MIEN_TRY(check(store, options));
  ClipBatch batch = empty_batch(store, static_cast<std::int64_t>(clips.size()), options);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    if (clips[i] >= store.size()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "there is no clip " + std::to_string(clips[i]));
    }
    const auto indices = view_frames(store.frame_count(clips[i]), clips[i], options, view);
    if (indices.empty()) {
      return make_error(ErrorCode::kInvalidArgument, "has no such view", store.id(clips[i]));
    }
    MIEN_ASSIGN(const std::vector<std::uint8_t> frames,
                read_at_size(store, clips[i], indices, options.size));
    set_row(store, clips[i], plain_clip(view_of(frames, options), options.size, options.input),
            static_cast<std::int64_t>(i), batch);
    set_course(store.course(clips[i]), indices, static_cast<std::int64_t>(i), batch);
  }
  return batch;
}

}  // namespace mien::learn
