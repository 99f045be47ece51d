// What a micro-batch has to itself while others are computed beside it on other threads.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace mien::learn {

// While alive, modules that run in this thread draw from a generator of their own instead of
// LibTorch's, which all threads share, and put off what they would change beside gradients
// (running statistics). So what a micro-batch computes does not depend on what runs beside it. CPU
// only; one at a time per thread.
class MicroBatchScope {
 public:
  explicit MicroBatchScope(std::uint64_t seed);
  ~MicroBatchScope();
  MicroBatchScope(const MicroBatchScope&) = delete;
  MicroBatchScope& operator=(const MicroBatchScope&) = delete;

  // What was put off, in order: whoever made the scope calls it once no micro-batch runs.
  std::vector<std::function<void()>> take_updates() { return std::move(updates_); }

  // Of this thread's scope; nothing, which stands for LibTorch's own, without one.
  static c10::optional<at::Generator> generator();

  // Calls `update` now, or puts it off when this thread has a scope.
  static void update_state(std::function<void()> update);

 private:
  at::Generator generator_;
  std::vector<std::function<void()>> updates_;
};

}  // namespace mien::learn
