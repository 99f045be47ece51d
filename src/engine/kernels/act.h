// The three ways an activation is held between layers.
#pragma once

#include <cstddef>

namespace mien::engine {

enum class ActKind {
  kF32,      // f32
  kRounded,  // f32 whose values are rounded to bf16: bf16 precision on a CPU without bf16
  kBf16,     // bf16 bits (uint16_t), what oneDNN's bf16 primitives read
};

inline std::size_t act_size(ActKind kind) {
  return kind == ActKind::kBf16 ? 2 : 4;
}

// Element `index` of a buffer of this kind.
inline void* act_at(void* data, ActKind kind, std::size_t index) {
  return static_cast<std::byte*>(data) + index * act_size(kind);
}
inline const void* act_at(const void* data, ActKind kind, std::size_t index) {
  return static_cast<const std::byte*>(data) + index * act_size(kind);
}

}  // namespace mien::engine
