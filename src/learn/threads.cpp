#include "learn/threads.h"

#include <torch/torch.h>

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

}  // namespace mien::learn
