// What the clip loader stands on: clips in memory, and threads that deliver in order.
#include "learn/data/clip_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "learn/data/ordered_workers.h"

namespace mien::learn::clip_store_test {

constexpr int kSide = 4;

// Frame t is of the value t.
MemoryClip clip_of(int number, int frames, int label) {
  MemoryClip clip;
  clip.id = "clip " + std::to_string(number);
  clip.label = label;
  for (int t = 0; t < frames; ++t) {
    clip.pixels.insert(clip.pixels.end(), kSide * kSide * 3, static_cast<std::uint8_t>(t));
  }
  return clip;
}

TEST(OrderedWorkers, DeliverInOrderAndStopEarly) {
  std::atomic<int> made = 0;
  {
    OrderedWorkers<std::int64_t> workers(
        [&](std::int64_t i) -> Result<std::int64_t> {
          ++made;
          if (i == 7) throw std::runtime_error("seven");
          return i * i;
        },
        5, 1'000'000, 4, 6);
    for (std::int64_t i = 5; i < 20; ++i) {
      const auto got = workers.next();
      ASSERT_EQ(got.ok(), i != 7);
      if (i == 7) {
        EXPECT_EQ(got.error().message, "seven");
      } else {
        EXPECT_EQ(*got, i * i);
      }
    }
  }
  EXPECT_GE(made.load(), 15);
  EXPECT_LE(made.load(), 15 + 6);  // no further ahead than it was told
  for (const int threads : {0, 3}) {
    OrderedWorkers<std::int64_t> few([](std::int64_t i) -> Result<std::int64_t> { return i; }, 0, 2,
                                     threads, 1);
    EXPECT_EQ(few.next().value(), 0);
    EXPECT_EQ(few.next().value(), 1);
    EXPECT_EQ(few.next().error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(MemoryClipStore, WhatIsNoClipIsRefused) {
  const auto refused = [](MemoryClip clip) {
    return !MemoryClipStore::create({"a", "b"}, kSide, {std::move(clip)}).ok();
  };
  EXPECT_FALSE(refused(clip_of(0, 2, 1)));
  EXPECT_TRUE(refused(clip_of(0, 0, 1)));
  EXPECT_TRUE(refused(clip_of(0, 2, 2)));
  MemoryClip part = clip_of(0, 2, 1);
  part.pixels.pop_back();
  EXPECT_TRUE(refused(part));
  MemoryClip soft = clip_of(0, 2, 1);
  soft.soft_target = {0.0F, 0.0F};
  EXPECT_TRUE(refused(soft));
  const auto store = MemoryClipStore::create({"a", "b"}, kSide, {clip_of(0, 2, 1)}).value();
  const std::vector<std::int64_t> last = {1};
  EXPECT_EQ(store.frames(0, last).value(), std::vector<std::uint8_t>(kSide * kSide * 3, 1));
  EXPECT_FALSE(store.frames(0, std::vector<std::int64_t>{2}).ok());
  EXPECT_FALSE(store.frames(0, std::vector<std::int64_t>{-1}).ok());
  EXPECT_FALSE(store.frames(1, std::vector<std::int64_t>{0}).ok());
}

}  // namespace mien::learn::clip_store_test
