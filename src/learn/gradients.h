// Gradients of an optimizer step: of one micro-batch after the other, or of several at a time.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace mien::learn {

// Computes the scalar loss of a micro-batch that was taken already.
using LossTask = std::function<torch::Tensor()>;

struct GradientOptions {
  bool bf16 = false;       // tasks run under autocast
  std::uint64_t seed = 0;  // of what dropout and drop path draw, with the task's number
};

// The gradient of one task's loss, times `share`, is added to the module's. Returns the loss.
// Throws c10::Error.
double add_gradient(const LossTask& task, torch::Device device, bool bf16, double share);

// The gradients of the mean loss of a step's micro-batches, a few computed at a time, each by its
// share of LibTorch's threads: two halves of a batch, each by one thread, are done sooner than one
// after the other by two, as little of a training step is worth dividing. Sums are taken in the
// order of the tasks, and what they put off is done at the end, so that the result depends neither
// on `lanes` nor on which was done first. CPU only.
class GradientsApart {
 public:
  // For `count` tasks in all, `lanes` at a time. The module outlives this, and its gradients are
  // none or zero.
  GradientsApart(torch::nn::Module& module, int count, int lanes, const GradientOptions& options);

  // The next tasks, at most `lanes`: their gradients are added to the module's. Throws what a task
  // threw.
  void add(const std::vector<LossTask>& tasks);

  // After all tasks. Returns the mean of their losses.
  double finish();

 private:
  std::vector<torch::Tensor> parameters_;  // those that train
  int count_, lanes_;
  GradientOptions options_;
  std::uint64_t done_ = 0;
  double loss_ = 0.0;
  std::vector<std::function<void()>> updates_;
};

}  // namespace mien::learn
