// Exponential moving average of a module's parameters and buffers.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>

namespace mien::learn {

class Ema {
 public:
  // Starts at the module's present state. decay 0 turns it off (average() is the module's state).
  Ema(const torch::nn::Module& module, double decay);

  // After optimizer step `step` (0-based). Early on the decay is min(decay, (1 + step) / (10 +
  // step)), so that the random start is forgotten.
  void update(const torch::nn::Module& module, std::int64_t step);

  // Exchanges the module's state with the average (call again to go back).
  void swap(torch::nn::Module& module);

  std::map<std::string, torch::Tensor>& state() { return average_; }

 private:
  double decay_;
  std::map<std::string, torch::Tensor> average_;
};

}  // namespace mien::learn
