// Mixed precision across LibTorch versions.
#pragma once

#include <torch/torch.h>

#include <string>

namespace mien::learn {

// Whether bf16 products run in hardware and fast: AVX512-BF16 on the CPU, any CUDA device. Ask
// before the first tensor operation: on the CPU this also keeps oneDNN off AMX tiles that it cannot
// use (core/cpu.h).
bool has_fast_bf16(torch::Device device);

// Whether products of `device` are made in bf16 in this thread now.
bool autocast_enabled(torch::Device device);

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

// While alive, `device` casts or does not, whatever was in force before, and no cast copy of a
// weight is kept or taken over: a copy made without gradients would cut the weight off the graph
// that uses it next.
class AutocastOverride {
 public:
  AutocastOverride(torch::Device device, bool enabled);
  ~AutocastOverride();
  AutocastOverride(const AutocastOverride&) = delete;
  AutocastOverride& operator=(const AutocastOverride&) = delete;

 private:
  torch::Device device_;
  bool was_enabled_;
  bool was_cached_;
};

// What frozen convolutions read (ConvBlock, folded): `pictures` [B, C, H, W] in bf16 when autocast
// is on, since without gradients and BatchNorm's passes bf16 wins on the CPU too; channels last.
torch::Tensor frozen_input(const torch::Tensor& pictures);

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
