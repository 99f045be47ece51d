// Parallel loops over our own kernels, by OpenMP as oneDNN's are, so that both use one pool of
// threads. The number of threads is that of the ThreadScope in force.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace mien::engine {

// Calls body(begin, end, thread) for consecutive parts of 0..count, each of at least `grain` items:
// waking a thread costs some microseconds. `thread` is below the scope's thread count. `body` must
// not throw.
template <typename Body>
void parallel_ranges(std::size_t count, std::size_t grain, const Body& body) {
  if (count == 0) return;
  const auto most = static_cast<std::size_t>(omp_get_max_threads());
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

}  // namespace mien::engine
