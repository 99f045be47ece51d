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

// The gradients of the mean loss of `tasks` become those of `module`, whose parameters are on the
// CPU; returns that loss. `lanes` threads compute them, each with its share of LibTorch's threads:
// two halves of a batch, each by one thread, are done sooner than one after the other by two, as
// little of a training step is worth dividing. Sums are taken in the order of the tasks, so that
// the result does not depend on which was done first. Throws what a task threw.
double gradients_apart(const std::vector<LossTask>& tasks, torch::nn::Module& module, int lanes,
                       const GradientOptions& options);

}  // namespace mien::learn
