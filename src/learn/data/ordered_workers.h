// Makes numbered things on several threads and hands them over in the order of their numbers, so
// that who takes them cannot tell how many threads there were.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

template <typename T>
class OrderedWorkers {
 public:
  // Makes thing `index`. Called from several threads at once; must depend on nothing but the index.
  using Make = std::function<Result<T>(std::int64_t index)>;

  // Starts making the things first, first + 1, ..., last - 1. At most `ahead` of them (at least 1)
  // are finished or being made and not yet taken. With threads <= 0 next() makes them itself.
  OrderedWorkers(Make make, std::int64_t first, std::int64_t last, int threads, int ahead)
      : make_(std::move(make)),
        last_(last),
        ahead_(std::max(ahead, 1)),
        to_make_(first),
        to_take_(first) {
    for (int i = 0; i < threads; ++i) {
      try {
        threads_.emplace_back([this] { run(); });
      } catch (const std::system_error&) {
        break;  // the system gives no more threads: those that there are do the work
      }
    }
  }

  ~OrderedWorkers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  // The next thing, or the error of making it (the one after it can still be asked for). Waits for
  // it. Error kInvalidArgument after the last one. For one thread.
  Result<T> next() {
    if (to_take_ >= last_) return make_error(ErrorCode::kInvalidArgument, "there is no next one");
    if (threads_.empty()) return guarded(to_take_++);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready_.count(to_take_) != 0; });
    const auto at = ready_.find(to_take_);
    Result<T> out = std::move(at->second);
    ready_.erase(at);
    ++to_take_;
    lock.unlock();
    changed_.notify_all();
    return out;
  }

 private:
  // An exception (of LibTorch, or for want of memory) must not end the process from a thread.
  Result<T> guarded(std::int64_t index) const {
    try {
      return make_(index);
    } catch (const std::exception& e) {
      return make_error(ErrorCode::kInternal, e.what());
    }
  }

  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock,
                    [&] { return stopping_ || to_make_ >= last_ || to_make_ - to_take_ < ahead_; });
      if (stopping_ || to_make_ >= last_) return;
      const std::int64_t index = to_make_++;
      lock.unlock();
      Result<T> made = guarded(index);
      lock.lock();
      ready_.emplace(index, std::move(made));
      lock.unlock();
      changed_.notify_all();
    }
  }

  const Make make_;
  const std::int64_t last_;
  const std::int64_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Result<T>> ready_;
  std::int64_t to_make_;
  std::int64_t to_take_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mien::learn
