// Parallel loops over our own kernels, by OpenMP as oneDNN's are, so that both use one pool of
// threads. The number of threads is that of the ThreadScope in force.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>

#include "mien/result.hpp"

namespace mien::engine {

// Calls body(part) for every part below `parts`, each on a thread of its own where OpenMP gives
// one. Inside, oneDNN and parallel_ranges() use that thread alone. `body` must not throw.
template <typename Body>
void parallel_parts(std::size_t parts, const Body& body) {
  if (parts == 1) {
    body(std::size_t{0});
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(parts))
  {
    const auto step = static_cast<std::size_t>(omp_get_num_threads());
    for (auto part = static_cast<std::size_t>(omp_get_thread_num()); part < parts; part += step) {
      body(part);
    }
  }
}

// Calls body(member, complete) on `members` threads at the same time: they may wait for each other.
// If OpenMP gives fewer, `complete` is false and they must not.
template <typename Body>
void parallel_team(std::size_t members, const Body& body) {
#pragma omp parallel num_threads(static_cast <int>(members))
  {
    const bool complete = omp_get_num_threads() == static_cast<int>(members);
    body(static_cast<std::size_t>(omp_get_thread_num()), complete);
  }
}

// Calls body(begin, end, thread) for consecutive parts of 0..count, each of at least `grain` items:
// waking a thread costs some microseconds. `thread` is below the scope's thread count. `body` must
// not throw.
template <typename Body>
void parallel_ranges(std::size_t count, std::size_t grain, const Body& body) {
  if (count == 0) return;
  const auto most = omp_in_parallel() != 0 ? 1 : static_cast<std::size_t>(omp_get_max_threads());
  const std::size_t parts =
      std::clamp<std::size_t>(count / std::max<std::size_t>(grain, 1), 1, most);
  if (parts == 1) {
    body(std::size_t{0}, count, 0);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(parts))
  {
    // OpenMP may give fewer threads than asked for.
    const auto got = static_cast<std::size_t>(omp_get_num_threads());
    const auto me = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t begin = count * me / got;
    const std::size_t end = count * (me + 1) / got;
    if (begin < end) body(begin, end, static_cast<int>(me));
  }
}

// The first error of several threads.
class SharedStatus {
 public:
  void add(const Status& status) {
    if (status.ok()) return;
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = status.error();
  }
  Status take() const { return error_ ? Status(*error_) : Status(); }

 private:
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace mien::engine
