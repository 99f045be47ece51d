#include "learn/threads.h"

#include <torch/torch.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace mien::learn {

void use_threads(int threads) {
  if (threads <= 0) {
    if (std::getenv("OMP_NUM_THREADS") != nullptr) return;
    threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  torch::set_num_threads(threads);
}

// LibTorch counts with OpenMP, which has a number for each thread. Its own function also makes
// another thread pool every time, for kernels that are not used here: called in each step, that
// took 2 % of the CPU time, as threads of such a pool spin before they sleep.
void use_threads_here(int threads) {
  torch::get_num_threads();  // a new thread is given the number of all before
#ifdef _OPENMP
  omp_set_num_threads(threads);
#endif
  if (torch::get_num_threads() != threads) torch::set_num_threads(threads);
}

}  // namespace mien::learn
