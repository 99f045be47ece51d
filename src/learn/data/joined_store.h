// Several clip stores as one, or one several times.
#pragma once

#include <memory>
#include <vector>

#include "learn/data/clip_store.h"

namespace mien::learn {

// The clips of all stores, one store after the other. Errors kInvalidArgument: no store, or classes
// or sides that differ.
Result<std::unique_ptr<ClipStore>> join_stores(std::vector<std::unique_ptr<ClipStore>> stores);

// `times` (>= 1) times the clips of `store`, one after the other: clip k is its clip k % size().
std::unique_ptr<ClipStore> repeat_store(std::unique_ptr<ClipStore> store, std::int64_t times);

}  // namespace mien::learn
