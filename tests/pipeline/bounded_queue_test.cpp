#include "pipeline/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "pipeline/ahead.h"

namespace mien::pipeline {
namespace {

TEST(BoundedQueue, KeepsOrderAndNeverHoldsMore) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed{0};
  std::thread producer([&] {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(queue.push(i));
      ++pushed;
    }
    queue.close();
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(queue.pop(), i);
    EXPECT_LE(pushed.load(), i + 4);  // two in the queue, one popped, one on its way
  }
  EXPECT_EQ(queue.pop(), std::nullopt);
  producer.join();
}

TEST(BoundedQueue, CloseFreesAWaitingPusher) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  std::thread producer([&] { EXPECT_FALSE(queue.push(2)); });
  queue.close();
  producer.join();
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, TheNewestPushOutTheOldest) {
  BoundedQueue<int> queue(2);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.push_newest(i));
  EXPECT_EQ(queue.dropped(), 3);
  queue.close();
  EXPECT_FALSE(queue.push_newest(5));
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_EQ(queue.pop(), 4);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(Ahead, GivesEverythingInOrderAndThenTheEnd) {
  int n = 0;
  Ahead<int> ahead(
      [&n]() -> Result<std::optional<int>> {
        return n < 20 ? std::optional<int>(n++) : std::nullopt;
      },
      3);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(*ahead.next(), i);
  const auto end = ahead.next();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(*end, std::nullopt);
}

TEST(Ahead, AnErrorComesAtItsPlace) {
  int n = 0;
  Ahead<int> ahead(
      [&n]() -> Result<std::optional<int>> {
        if (n == 2) return make_error(ErrorCode::kIo, "gone");
        return std::optional<int>(n++);
      },
      3);
  EXPECT_EQ(*ahead.next(), 0);
  EXPECT_EQ(*ahead.next(), 1);
  const auto error = ahead.next();
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().message, "gone");
}

TEST(Ahead, CanBeDroppedInTheMiddle) {
  int n = 0;
  Ahead<int> ahead([&n]() -> Result<std::optional<int>> { return std::optional<int>(n++); }, 3);
  EXPECT_EQ(*ahead.next(), 0);
}

}  // namespace
}  // namespace mien::pipeline
