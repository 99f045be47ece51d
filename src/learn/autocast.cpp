#include "learn/autocast.h"

#include <ATen/autocast_mode.h>

#include "core/cpu.h"

namespace mien::learn {
namespace {

void set_autocast(bool cuda, bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  const auto device = cuda ? at::kCUDA : at::kCPU;
  at::autocast::set_autocast_enabled(device, enabled);
  if (enabled) at::autocast::set_autocast_dtype(device, at::kBFloat16);
#else
  if (cuda) {
    at::autocast::set_enabled(enabled);
    if (enabled) at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    if (enabled) at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
  }
#endif
}

}  // namespace

bool has_fast_bf16(torch::Device device) {
  if (device.is_cuda()) return true;
  core::avoid_amx_without_tiles();
  if (core::misses_its_amx()) return false;
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

bool autocast_enabled(torch::Device device) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  return at::autocast::is_autocast_enabled(device.type());
#else
  return device.is_cuda() ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled();
#endif
}

AutocastScope::AutocastScope(torch::Device device, bool enabled)
    : enabled_(enabled), cuda_(device.is_cuda()) {
  if (!enabled_) return;
  set_autocast(cuda_, true);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!enabled_) return;
  // The cast copies of the weights live until the outermost scope ends.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_autocast(cuda_, false);
}

AutocastOverride::AutocastOverride(torch::Device device, bool enabled)
    : device_(device),
      was_enabled_(autocast_enabled(device)),
      was_cached_(at::autocast::is_autocast_cache_enabled()) {
  set_autocast(device_.is_cuda(), enabled);
  at::autocast::set_autocast_cache_enabled(false);
}

AutocastOverride::~AutocastOverride() {
  at::autocast::set_autocast_cache_enabled(was_cached_);
  set_autocast(device_.is_cuda(), was_enabled_);
}

torch::Tensor frozen_input(const torch::Tensor& pictures) {
  const auto type = autocast_enabled(pictures.device()) ? torch::kBFloat16 : pictures.scalar_type();
  return pictures.to(type).contiguous(torch::MemoryFormat::ChannelsLast);
}

ConvAutocastPause::ConvAutocastPause(torch::Device device)
    : paused_(device.is_cpu() && autocast_enabled(device)) {
  if (paused_) set_autocast(false, false);
}

ConvAutocastPause::~ConvAutocastPause() {
  if (paused_) set_autocast(false, true);
}

}  // namespace mien::learn
