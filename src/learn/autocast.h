// Mixed precision across LibTorch versions.
#pragma once

#include <torch/torch.h>

#include <string>

namespace mien::learn {

// Whether bf16 products run in hardware: AVX512-BF16 on the CPU, any CUDA device. Ask before the
// first tensor operation: on the CPU this also keeps oneDNN off AMX tiles that it cannot use
// (core/cpu.h).
bool has_fast_bf16(torch::Device device);

// While alive, linear layers and convolutions of `device` compute in bf16.
class AutocastScope {
 public:
  AutocastScope(torch::Device device, bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool enabled_;
  bool cuda_;
};

// While alive, convolutions of CPU tensors compute in f32 inside an AutocastScope. In bf16 the
// products win less than BatchNorm and the activations between them lose (LibTorch 1.13, AVX512-
// BF16: the stem trains at 153 pictures/s in bf16, 237 in f32). On a GPU it changes nothing.
class ConvAutocastPause {
 public:
  explicit ConvAutocastPause(torch::Device device);
  ~ConvAutocastPause();
  ConvAutocastPause(const ConvAutocastPause&) = delete;
  ConvAutocastPause& operator=(const ConvAutocastPause&) = delete;

 private:
  bool paused_;
};

}  // namespace mien::learn
