// Several clip stores as one.
#pragma once

#include <memory>
#include <vector>

#include "learn/data/clip_store.h"

namespace mien::learn {

// The clips of all stores, one store after the other. Errors kInvalidArgument: no store, or classes
// or sides that differ.
Result<std::unique_ptr<ClipStore>> join_stores(std::vector<std::unique_ptr<ClipStore>> stores);

}  // namespace mien::learn
