#include "learn/gradients.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>

#include "core/rng.h"
#include "learn/autocast.h"
#include "learn/models/micro_batch.h"
#include "learn/threads.h"

namespace mien::learn {
namespace {

using torch::Tensor;

struct Outcome {
  double loss = 0.0;
  std::vector<Tensor> gradients;  // of the parameters, undefined where there is none
  std::vector<std::function<void()>> updates;
};

std::vector<Tensor> trained_parameters(const torch::nn::Module& module) {
  std::vector<Tensor> out;
  for (const Tensor& parameter : module.parameters()) {
    if (parameter.requires_grad()) out.push_back(parameter);
  }
  return out;
}

Outcome run(const LossTask& task, const std::vector<Tensor>& parameters, double share,
            std::uint64_t seed, bool bf16) {
  MicroBatchScope scope(seed);
  Outcome out;
  Tensor loss;
  {
    const AutocastScope autocast(torch::kCPU, bf16);
    loss = task();
  }
  out.loss = loss.item<double>();
  out.gradients = torch::autograd::grad({loss * share}, parameters, {}, /*retain_graph=*/false,
                                        /*create_graph=*/false, /*allow_unused=*/true);
  out.updates = scope.take_updates();
  return out;
}

// What the first thread that failed threw.
class FirstError {
 public:
  void note(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
};

// Calls body(i) for every i below `count`, on `lanes` threads with `threads` of LibTorch's each.
template <typename Body>
void on_lanes(std::size_t count, int lanes, int threads, const Body& body) {
  std::atomic<std::size_t> next{0};
  FirstError error;
  const auto lane = [&] {
    use_threads_here(threads);
    // Casts of weights are cached for all threads, with the graph that they belong to.
    at::autocast::set_autocast_cache_enabled(false);
    try {
      for (std::size_t i = next++; i < count; i = next++) body(i);
    } catch (...) {
      error.note(std::current_exception());
    }
  };
  std::vector<std::thread> team;
  for (int i = 0; i < lanes; ++i) team.emplace_back(lane);
  for (std::thread& thread : team) thread.join();
  error.rethrow();
}

}  // namespace

double add_gradient(const LossTask& task, torch::Device device, bool bf16, double share) {
  Tensor loss;
  {
    const AutocastScope autocast(device, bf16);
    loss = task();
  }
  (share == 1.0 ? loss : loss * share).backward();
  return loss.item<double>();
}

GradientsApart::GradientsApart(torch::nn::Module& module, int count, int lanes,
                               const GradientOptions& options)
    : parameters_(trained_parameters(module)), count_(count), lanes_(lanes), options_(options) {}

void GradientsApart::add(const std::vector<LossTask>& tasks) {
  std::vector<Outcome> outcomes(tasks.size());
  const int threads = std::max(1, torch::get_num_threads() / lanes_);
  on_lanes(tasks.size(), lanes_, threads, [&](std::size_t i) {
    const std::uint64_t seed = core::Rng::mix(options_.seed, done_ + i) >> 1;
    outcomes[i] = run(tasks[i], parameters_, 1.0 / count_, seed, options_.bf16);
  });
  done_ += tasks.size();
  for (Outcome& outcome : outcomes) {
    loss_ += outcome.loss / count_;
    std::move(outcome.updates.begin(), outcome.updates.end(), std::back_inserter(updates_));
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      const Tensor& own = outcome.gradients[p];
      Tensor& total = parameters_[p].mutable_grad();
      if (own.defined()) total = total.defined() ? total + own : own;
    }
  }
}

double GradientsApart::finish() {
  for (const auto& update : updates_) update();
  return loss_;
}

}  // namespace mien::learn
