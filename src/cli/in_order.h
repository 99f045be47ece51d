// Work on several inputs at once whose outcomes are told in the order of the inputs.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace mien::cli {

// Calls work(i) for every i below `count`, `at_once` of them at a time on threads of their own, and
// tell(i, outcome) on this thread as soon as those before are told. tell() returns whether to go
// on: after false, nothing more is begun or told, and the call returns when what was begun is done.
// An exception of work(i) comes out of this call in the place of tell(i).
template <typename Outcome>
void work_in_order(std::size_t count, std::size_t at_once,
                   const std::function<Outcome(std::size_t)>& work,
                   const std::function<bool(std::size_t, Outcome)>& tell) {
  std::vector<std::packaged_task<Outcome()>> tasks;
  for (std::size_t i = 0; i < count; ++i) tasks.emplace_back([&work, i] { return work(i); });
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  const auto stop = [&] {
    next = count;
    for (std::thread& thread : threads) thread.join();
  };
  try {
    while (threads.size() < at_once) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < count; i = next++) tasks[i]();
      });
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!tell(i, tasks[i].get_future().get())) break;
    }
  } catch (...) {
    stop();
    throw;
  }
  stop();
}

}  // namespace mien::cli
