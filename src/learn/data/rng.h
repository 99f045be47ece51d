// Random numbers as a pure function of their seed: core/rng.h under the name that learn uses.
#pragma once

#include "core/rng.h"

namespace mien::learn {

using core::Rng;

}  // namespace mien::learn
