#include "engine/arena.h"

#include <algorithm>
#include <new>
#include <string>

namespace mien::engine {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

void Arena::Free::operator()(std::byte* data) const noexcept {
  ::operator delete (data, std::align_val_t{kAlignment});
}

Slot Arena::reserve(std::size_t bytes) {
  const Slot slot{top_};
  // Sums of a hostile model's sizes stay far below 2^64: every factor is bounded by the config.
  top_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  peak_ = std::max(peak_, top_);
  return slot;
}

Status Arena::allocate() {
  if (peak_ > kMaxArenaBytes) {
    return make_error(ErrorCode::kLimit,
                      "a forward pass of this model needs " + std::to_string(peak_ >> 20) + " MiB");
  }
  void* memory = ::operator new (std::max<std::size_t>(peak_, kAlignment),
                                 std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) {
    return make_error(ErrorCode::kLimit,
                      "no memory for a forward pass (" + std::to_string(peak_ >> 20) + " MiB)");
  }
  data_.reset(static_cast<std::byte*>(memory));
  base_ = data_.get();
  return {};
}

}  // namespace mien::engine
