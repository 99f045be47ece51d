// Batches of clips: the same for any number of threads, all clips, the papers' frames.
#include "learn/data/clip_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "media/frame_rules.h"

namespace mien::learn::clip_loader_test {

constexpr int kSide = 8;

// Uniform frames that tell what they are: red is 2 x the clip's number, green 10 x the frame's.
MemoryClip clip_of(int number, int frames, int label) {
  MemoryClip clip;
  clip.id = "clip " + std::to_string(number);
  clip.label = label;
  for (int t = 0; t < frames; ++t) {
    for (int p = 0; p < kSide * kSide; ++p) {
      clip.pixels.push_back(static_cast<std::uint8_t>(2 * number));
      clip.pixels.push_back(static_cast<std::uint8_t>(10 * t));
      clip.pixels.push_back(100);
    }
  }
  return clip;
}

MemoryClipStore store_of(std::vector<MemoryClip> clips) {
  return MemoryClipStore::create({"a", "b", "c"}, kSide, std::move(clips)).value();
}

// Clips of 5 to 14 frames with labels 0, 1, 2, 0, ...
MemoryClipStore mixed_store(int count) {
  std::vector<MemoryClip> clips;
  for (int i = 0; i < count; ++i) clips.push_back(clip_of(i, 5 + i % 10, i % 3));
  return store_of(std::move(clips));
}

ClipLoaderOptions small_options() {
  ClipLoaderOptions options;
  options.batch = 4;
  options.clip_len = 4;
  options.rate = 1;
  options.seed = 11;
  options.size = kSide;
  return options;
}

ClipLoaderOptions plain_options() {
  ClipLoaderOptions options = small_options();
  options.augment.rand_augment.ops = 0;
  options.augment.crop_scale_low = 0.0;
  options.augment.flip = 0.0;
  options.augment.erase = 0.0;
  return options;
}

std::unique_ptr<ClipLoader> loader_of(const ClipStore& store, const ClipLoaderOptions& options) {
  return ClipLoader::create(store, options).value();
}

// The frames that a row shows, read off its green.
std::vector<std::int64_t> frames_shown(const ClipBatch& batch, std::int64_t row,
                                       const ClipLoaderOptions& options) {
  std::vector<std::int64_t> out;
  for (std::int64_t t = 0; t < batch.clips.size(2); ++t) {
    const auto green = batch.clips[row][1][t][kSide / 2][kSide / 2].item<double>();
    const double level = 255.0 * (green * static_cast<double>(options.input.std[1]) +
                                  static_cast<double>(options.input.mean[1]));
    out.push_back(std::llround(level / 10.0));
  }
  return out;
}

void expect_equal(const ClipBatch& a, const ClipBatch& b) {
  EXPECT_EQ(a.index, b.index);
  EXPECT_TRUE(torch::equal(a.clips, b.clips));
  EXPECT_TRUE(torch::equal(a.target, b.target));
  EXPECT_TRUE(torch::equal(a.label, b.label));
}

TEST(ClipLoader, SameBatchesForAnyNumberOfWorkers) {
  const MemoryClipStore store = mixed_store(14);
  ClipLoaderOptions options = small_options();
  options.drop_last = false;
  const auto reference = loader_of(store, options);
  EXPECT_EQ(reference->batches_per_epoch(), 4);
  std::vector<ClipBatch> expected;
  for (std::int64_t i = 0; i < 9; ++i) expected.push_back(reference->make(i).value());
  EXPECT_FALSE(torch::equal(expected[0].clips, expected[4].clips));  // another epoch
  for (const int workers : {0, 1, 2, 5}) {
    options.workers = workers;
    options.prefetch = workers == 5 ? 7 : 2;
    const auto loader = loader_of(store, options);
    for (const ClipBatch& batch : expected) expect_equal(loader->next().value(), batch);
  }
}

TEST(ClipLoader, GoesOnAtAnyBatch) {
  const MemoryClipStore store = mixed_store(14);
  const auto loader = loader_of(store, small_options());
  const auto other = loader_of(store, small_options());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(other->next().ok());
  loader->start(5);
  expect_equal(loader->next().value(), other->next().value());
  loader->start(2);  // and back
  expect_equal(loader->next().value(), other->make(2).value());
  ClipLoaderOptions options = small_options();
  options.seed = 12;
  EXPECT_FALSE(
      torch::equal(loader_of(store, options)->make(2).value().clips, other->make(2).value().clips));
}

TEST(ClipLoader, EveryClipOncePerEpoch) {
  const MemoryClipStore store = mixed_store(10);
  ClipLoaderOptions options = plain_options();
  options.drop_last = false;
  const auto loader = loader_of(store, options);
  ASSERT_EQ(loader->batches_per_epoch(), 3);
  std::set<std::vector<std::int64_t>> orders;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < 3; ++i) {
      const ClipBatch batch = loader->make(3 * epoch + i).value();
      ASSERT_EQ(batch.clips.sizes().vec(), (std::vector<std::int64_t>{i < 2 ? 4 : 2, 3, 4, 8, 8}));
      for (std::size_t row = 0; row < batch.index.size(); ++row) {
        const std::int64_t clip = batch.index[row];
        const auto at = static_cast<std::int64_t>(row);
        order.push_back(clip);
        EXPECT_EQ(batch.label[at].item<std::int64_t>(), clip % 3);
        EXPECT_EQ(batch.target[at].argmax().item<std::int64_t>(), clip % 3);
        EXPECT_EQ(batch.target[at].sum().item<float>(), 1.0F);
      }
    }
    orders.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_EQ(orders.size(), 3U);  // every epoch another order
}

TEST(ClipLoader, DropLastLeavesOutOtherClipsEveryEpoch) {
  const MemoryClipStore store = mixed_store(10);
  const auto loader = loader_of(store, plain_options());
  ASSERT_EQ(loader->batches_per_epoch(), 2);
  std::set<std::int64_t> ever;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    std::set<std::int64_t> seen;
    for (std::int64_t i = 0; i < 2; ++i) {
      const ClipBatch batch = loader->make(2 * epoch + i).value();
      EXPECT_EQ(batch.index.size(), 4U);
      seen.insert(batch.index.begin(), batch.index.end());
    }
    EXPECT_EQ(seen.size(), 8U);
    ever.insert(seen.begin(), seen.end());
  }
  EXPECT_EQ(ever.size(), 10U);
  ClipLoaderOptions large = plain_options();
  large.batch = 11;
  EXPECT_EQ(ClipLoader::create(store, large).error().code, ErrorCode::kNotFound);
  large.drop_last = false;
  EXPECT_EQ(loader_of(store, large)->make(0).value().index.size(), 10U);
}

// Class b has 10 of 100 clips.
double share_of_rare(double balance) {
  std::vector<MemoryClip> clips;
  for (int i = 0; i < 100; ++i) clips.push_back(clip_of(i, 4, i < 10 ? 1 : 0));
  const MemoryClipStore store = store_of(std::move(clips));
  ClipLoaderOptions options = plain_options();
  options.batch = 50;
  options.balance = balance;
  const auto loader = loader_of(store, options);
  EXPECT_EQ(loader->batches_per_epoch(), 2);  // as long as without balancing
  double rare = 0.0;
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < 60; ++i) {
    const ClipBatch batch = loader->make(i).value();
    rare += batch.label.sum().item<double>();
    seen.insert(batch.index.begin(), batch.index.end());
  }
  EXPECT_GT(seen.size(), 95U);  // within the classes all clips are drawn
  return rare / 3000.0;
}

TEST(ClipLoader, OversamplingBalancesTheClasses) {
  EXPECT_DOUBLE_EQ(share_of_rare(0.0), 0.1);
  // Weights 1 / count^balance: 10 / 10^b against 90 / 90^b. One draw has a deviation of at most
  // 0.5, the mean of 3000 of them one of 0.009.
  EXPECT_NEAR(share_of_rare(1.0), 0.5, 0.04);
  EXPECT_NEAR(share_of_rare(0.5), std::sqrt(10.0) / (std::sqrt(10.0) + std::sqrt(90.0)), 0.04);
}

TEST(ClipLoader, RepeatsShowTheSameFramesAugmentedAnew) {
  const MemoryClipStore store = mixed_store(8);
  ClipLoaderOptions options = small_options();
  options.repeats = 3;
  const ClipBatch batch = loader_of(store, options)->make(0).value();
  ASSERT_EQ(batch.clips.size(0), 12);
  for (std::size_t row = 0; row < 12; ++row) {
    EXPECT_EQ(batch.index[row], batch.index[row / 3 * 3]);
  }
  int different = 0;
  for (std::int64_t clip = 0; clip < 4; ++clip) {
    different += torch::equal(batch.clips[3 * clip], batch.clips[3 * clip + 1]) ? 0 : 1;
  }
  EXPECT_GT(different, 0);
  options = plain_options();
  options.repeats = 3;
  const ClipBatch plain = loader_of(store, options)->make(0).value();
  for (std::int64_t row = 0; row < 12; ++row) {
    EXPECT_TRUE(torch::equal(plain.clips[row], plain.clips[row / 3 * 3])) << row;
  }
}

TEST(ClipLoader, FramesFollowThePapersRule) {
  std::vector<MemoryClip> clips;
  clips.push_back(clip_of(0, 14, 0));  // longer than 4 * 2: the end is drawn from 8..13
  clips.push_back(clip_of(1, 6, 1));   // shorter: no draw
  const MemoryClipStore store = store_of(std::move(clips));
  ClipLoaderOptions options = plain_options();
  options.batch = 2;
  options.rate = 2;
  const auto loader = loader_of(store, options);
  std::set<std::vector<std::int64_t>> seen;
  for (std::int64_t i = 0; i < 100; ++i) {
    const ClipBatch batch = loader->make(i).value();
    for (std::int64_t row = 0; row < 2; ++row) {
      const auto shown = frames_shown(batch, row, options);
      if (batch.index[static_cast<std::size_t>(row)] == 0) {
        seen.insert(shown);
      } else {
        EXPECT_EQ(shown, media::train_indices(6, 4, 2));
      }
    }
  }
  std::set<std::vector<std::int64_t>> expected;
  for (std::int64_t end = 8; end < 14; ++end) expected.insert(media::train_indices(14, 4, 2, end));
  EXPECT_EQ(seen, expected);
}

TEST(ClipLoader, TimeWindowsAreTakenAsTheyAre) {
  std::vector<MemoryClip> clips;
  for (int i = 0; i < 4; ++i) clips.push_back(clip_of(i, 4, i % 3));
  ClipLoaderOptions options = plain_options();
  options.timing = ClipTiming::kTimeWindow;
  options.rate = 3;  // has no meaning there
  const MemoryClipStore store = store_of(clips);
  const ClipBatch batch = loader_of(store, options)->make(0).value();
  for (std::int64_t row = 0; row < 4; ++row) {
    EXPECT_EQ(frames_shown(batch, row, options), (std::vector<std::int64_t>{0, 1, 2, 3}));
  }
  clips.push_back(clip_of(9, 5, 0));
  const MemoryClipStore odd = store_of(clips);
  const auto refused = ClipLoader::create(odd, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().context, "clip 9");
}

TEST(ClipLoader, SoftTargetsAndClipsWithoutLabel) {
  std::vector<MemoryClip> clips;
  for (int i = 0; i < 3; ++i) clips.push_back(clip_of(i, 4, -1));
  clips[1].soft_target = {1.0F, 3.0F, 0.0F};
  clips[2].label = 2;
  const MemoryClipStore store = store_of(std::move(clips));
  ClipLoaderOptions options = plain_options();
  options.batch = 2;
  const auto loader = loader_of(store, options);
  EXPECT_EQ(loader->usable(), 2);
  const ClipBatch batch = loader->make(0).value();
  for (std::int64_t row = 0; row < 2; ++row) {
    const bool soft = batch.index[static_cast<std::size_t>(row)] == 1;
    const torch::Tensor expected =
        soft ? torch::tensor({0.25F, 0.75F, 0.0F}) : torch::tensor({0.0F, 0.0F, 1.0F});
    EXPECT_TRUE(torch::allclose(batch.target[row], expected)) << row;
    EXPECT_EQ(batch.label[row].item<std::int64_t>(), soft ? -1 : 2);
  }
}

TEST(ClipLoader, SillyOptionsAreRefused) {
  const MemoryClipStore store = mixed_store(10);
  const auto refused = [&](auto change) {
    ClipLoaderOptions options = small_options();
    change(options);
    return !ClipLoader::create(store, options).ok();
  };
  EXPECT_FALSE(refused([](ClipLoaderOptions&) {}));
  EXPECT_TRUE(refused([](ClipLoaderOptions& o) { o.batch = 0; }));
  EXPECT_TRUE(refused([](ClipLoaderOptions& o) { o.repeats = 0; }));
  EXPECT_TRUE(refused([](ClipLoaderOptions& o) { o.balance = std::nan(""); }));
  EXPECT_TRUE(refused([](ClipLoaderOptions& o) { o.size = 0; }));
  const MemoryClipStore unlabelled = store_of({clip_of(0, 4, -1)});
  EXPECT_EQ(ClipLoader::create(unlabelled, small_options()).error().code, ErrorCode::kNotFound);
}

// A store whose clip 3 cannot be read.
class BrokenStore : public ClipStore {
 public:
  explicit BrokenStore(const ClipStore& inner) : inner_(inner) {}
  const std::vector<std::string>& classes() const override { return inner_.classes(); }
  int side() const override { return inner_.side(); }
  std::size_t size() const override { return inner_.size(); }
  const std::string& id(std::size_t clip) const override { return inner_.id(clip); }
  const std::string& group(std::size_t clip) const override { return inner_.group(clip); }
  int label(std::size_t clip) const override { return inner_.label(clip); }
  std::span<const float> soft_target(std::size_t clip) const override {
    return inner_.soft_target(clip);
  }
  std::int64_t frame_count(std::size_t clip) const override { return inner_.frame_count(clip); }
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override {
    if (clip == 3) return make_error(ErrorCode::kBadFormat, "is damaged", id(clip));
    return inner_.frames(clip, indices);
  }

 private:
  const ClipStore& inner_;
};

TEST(ClipLoader, UnreadableClipsFailTheirBatch) {
  const MemoryClipStore store = mixed_store(8);
  const BrokenStore broken(store);
  const auto loader = loader_of(broken, plain_options());
  const auto whole = loader_of(store, plain_options());
  int failed = 0;
  for (std::int64_t i = 0; i < 4; ++i) {  // two epochs
    const auto batch = loader->next();
    const ClipBatch truth = whole->make(i).value();
    const bool has_it = std::count(truth.index.begin(), truth.index.end(), 3) > 0;
    ASSERT_EQ(batch.ok(), !has_it) << i;
    if (has_it) {
      ++failed;
      EXPECT_EQ(batch.error().to_string(), "clip 3: is damaged");
    } else {
      expect_equal(*batch, truth);
    }
  }
  EXPECT_EQ(failed, 2);
}

TEST(ClipLoader, LoadingAloneIsMeasured) {
  const MemoryClipStore store = mixed_store(10);
  const auto loader = loader_of(store, small_options());
  const LoadingRate rate = loader->measure_loading(0.05).value();
  EXPECT_GE(rate.seconds, 0.05);
  EXPECT_GT(rate.clips, 0);
  EXPECT_EQ(loader->waited_seconds(), 0.0);
  expect_equal(loader->next().value(), loader->make(0).value());
  EXPECT_GT(loader->waited_seconds(), 0.0);
}

TEST(ClipViews, FirstAndLastFramesOfTheTestRule) {
  using Frames = std::vector<std::int64_t>;
  ClipLoaderOptions options = plain_options();
  options.rate = 2;
  const EvalView first{.segment = 0};
  const EvalView second{.segment = 1};
  EXPECT_EQ(view_frames(12, 0, options, first), (Frames{0, 2, 4, 6}));
  EXPECT_EQ(view_frames(12, 0, options, second), (Frames{4, 6, 8, 10}));
  EXPECT_EQ(view_frames(3, 0, options, second), (Frames{0, 2, 2, 2}));  // all views alike
  EXPECT_TRUE(view_frames(12, 0, options, {.segment = 2}).empty());
  EXPECT_TRUE(view_frames(0, 0, options, first).empty());
  options.timing = ClipTiming::kTimeWindow;
  EXPECT_EQ(view_frames(4, 0, options, second), (Frames{0, 1, 2, 3}));
  EXPECT_TRUE(view_frames(5, 0, options, first).empty());
}

TEST(ClipViews, ValidationDrawsAsTrainingDoes) {
  const ClipLoaderOptions options = plain_options();
  const EvalView view{.rule = EvalView::Rule::kValidation};
  std::set<std::vector<std::int64_t>> seen;
  for (std::size_t clip = 0; clip < 60; ++clip) {
    const auto frames = view_frames(7, clip, options, view);
    EXPECT_EQ(view_frames(7, clip, options, view), frames);
    seen.insert(frames);
  }
  const std::set<std::vector<std::int64_t>> expected = {media::train_indices(7, 4, 1, 4),
                                                        media::train_indices(7, 4, 1, 5),
                                                        media::train_indices(7, 4, 1, 6)};
  EXPECT_EQ(seen, expected);
}

TEST(ClipViews, BatchesHoldTheClipsAskedFor) {
  const MemoryClipStore store = mixed_store(8);
  const ClipLoaderOptions options = small_options();  // augmentation is for training
  const std::vector<std::size_t> clips = {6, 0, 6};
  const EvalView last{.segment = 1};
  const ClipBatch batch = plain_clip_batch(store, clips, options, last).value();
  EXPECT_EQ(batch.index, (std::vector<std::int64_t>{6, 0, 6}));
  EXPECT_EQ(batch.clips.sizes().vec(), (std::vector<std::int64_t>{3, 3, 4, kSide, kSide}));
  EXPECT_EQ(frames_shown(batch, 0, options), (std::vector<std::int64_t>{7, 8, 9, 10}));
  EXPECT_EQ(frames_shown(batch, 1, options), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_FALSE(plain_clip_batch(store, std::vector<std::size_t>{8}, options, last).ok());
  EXPECT_FALSE(plain_clip_batch(store, clips, options, {.segment = 5}).ok());
}

}  // namespace mien::learn::clip_loader_test
