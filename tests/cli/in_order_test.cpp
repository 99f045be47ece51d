// Several inputs at once: all are worked on, told in their order, and left when told to.
#include "cli/in_order.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <stdexcept>

namespace mien::cli {
namespace {

TEST(WorkInOrder, TellsInOrderWhateverIsDoneFirst) {
  std::vector<std::size_t> told;
  const std::function<std::size_t(std::size_t)> work = [](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3 == 0 ? 20 : 1));
    return i * i;
  };
  const std::function<bool(std::size_t, std::size_t)> tell = [&](std::size_t i,
                                                                 std::size_t square) {
    EXPECT_EQ(square, i * i);
    told.push_back(i);
    return true;
  };
  work_in_order<std::size_t>(10, 4, work, tell);
  std::vector<std::size_t> wanted(10);
  std::iota(wanted.begin(), wanted.end(), std::size_t{0});
  EXPECT_EQ(told, wanted);
}

TEST(WorkInOrder, WorksOnSeveralAtTheSameTime) {
  std::atomic<int> now{0};
  const std::function<int(std::size_t)> work = [&](std::size_t) {
    ++now;
    // Each waits for the other: one at a time, they would wait until the deadline.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (now < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return now.load();
  };
  const std::function<bool(std::size_t, int)> tell = [](std::size_t, int seen) {
    EXPECT_EQ(seen, 2);
    return true;
  };
  work_in_order<int>(2, 2, work, tell);
}

TEST(WorkInOrder, BeginsNothingMoreAfterBeingStopped) {
  std::atomic<int> begun{0};
  std::size_t told = 0;
  const std::function<int(std::size_t)> work = [&](std::size_t) { return ++begun; };
  const std::function<bool(std::size_t, int)> tell = [&](std::size_t, int) {
    ++told;
    return false;
  };
  work_in_order<int>(3, 1, work, tell);
  EXPECT_EQ(told, 1U);
  EXPECT_LE(begun, 3);
}

TEST(WorkInOrder, AnExceptionComesOutInItsPlace) {
  std::vector<std::size_t> told;
  const std::function<int(std::size_t)> work = [](std::size_t i) {
    if (i == 2) throw std::runtime_error("broken");
    return 0;
  };
  const std::function<bool(std::size_t, int)> tell = [&](std::size_t i, int) {
    told.push_back(i);
    return true;
  };
  EXPECT_THROW(work_in_order<int>(5, 2, work, tell), std::runtime_error);
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace mien::cli
