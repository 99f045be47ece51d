// Work done ahead on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "mien/result.hpp"
#include "pipeline/bounded_queue.h"

namespace mien::pipeline {

// What to do with a result for which there is no room yet.
enum class WhenFull {
  kWait,        // make nothing more until there is
  kDropOldest,  // drop the one that waited longest, never the last one (nullopt or an error)
};

// Calls `make` again and again on its own thread and keeps the next few results. nullopt and errors
// end it.
template <typename T>
class Ahead {
 public:
  using Make = std::function<Result<std::optional<T>>()>;

  // Whatever `make` uses must outlive this object.
  Ahead(Make make, std::size_t capacity, WhenFull when_full = WhenFull::kWait)
      : make_(std::move(make)),
        when_full_(when_full),
        queue_(capacity),
        thread_([this] { run(); }) {}

  // Waits for the call that is going on.
  ~Ahead() {
    stop_ = true;
    queue_.close();
    thread_.join();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  // The next result, in order; nullopt at the end. Not to be called again after that or an error.
  Result<std::optional<T>> next() {
    auto item = queue_.pop();
    if (!item) return make_error(ErrorCode::kInternal, "read after the end");
    return std::move(*item);
  }

  // How many results were dropped so far.
  std::int64_t dropped() const { return queue_.dropped(); }

 private:
  void run() {
    while (!stop_) {
      Result<std::optional<T>> item = make_();
      const bool last = !item.ok() || !item->has_value();
      const bool wait = last || when_full_ == WhenFull::kWait;
      const bool taken = wait ? queue_.push(std::move(item)) : queue_.push_newest(std::move(item));
      if (!taken || last) return;
    }
  }

  Make make_;
  WhenFull when_full_;
  BoundedQueue<Result<std::optional<T>>> queue_;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it uses the rest
};

}  // namespace mien::pipeline
