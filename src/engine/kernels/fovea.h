// The spatial prompt's attention over places.
#pragma once

#include <cstddef>

#include "engine/kernels/act.h"

namespace mien::engine {

// Per frame and channel, over the `places` positions: f = softmax(u * smooth) * u. Writes f back to
// u [frames, places, channels] and f + v to `out` (of `kind`, the same shape). smooth == 0 means
// softmax(u), as the official code tests it for truth. `scratch`: frames * 2 * channels floats.
void fovea(float* u, const float* v, std::size_t frames, std::size_t places, std::size_t channels,
           float smooth, ActKind kind, void* out, float* scratch);

}  // namespace mien::engine
