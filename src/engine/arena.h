// All memory of a forward pass as one block, laid out before the first pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "mien/result.hpp"

namespace mien::engine {

// A place in an arena. Means nothing before Arena::allocate().
struct Slot {
  std::size_t offset = 0;
};

// First reserve() everything, then allocate(), then at(). mark() and release() let buffers of
// different phases lie over each other, as a stack does:
//   const auto m = arena.mark(); Slot a = arena.reserve(..); ...; arena.release(m);
// after which later reservations may reuse a's bytes. Not copyable: slots belong to one arena.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  Slot reserve(std::size_t bytes);  // aligned to 64 bytes
  template <typename T>
  Slot reserve_for(std::size_t count) {
    return reserve(count * sizeof(T));
  }

  // Over nothing that was reserved before, released or not.
  Slot reserve_above(std::size_t bytes) {
    top_ = peak_;
    return reserve(bytes);
  }

  std::size_t mark() const { return top_; }
  void release(std::size_t mark) { top_ = mark; }

  // The most that was reserved at one time.
  std::size_t peak_bytes() const { return peak_; }

  // Error kLimit above kMaxArenaBytes or when the system refuses.
  Status allocate();

  // T may be void. The pointer stays valid as long as the arena.
  template <typename T = void>
  T* at(Slot slot) const {
    return static_cast<T*>(static_cast<void*>(base_ + slot.offset));
  }

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept;
  };

  std::size_t top_ = 0;
  std::size_t peak_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
  std::byte* base_ = nullptr;
};

// Sizes in a model file decide how much a pass needs; a hostile one must not take the machine down.
inline constexpr std::size_t kMaxArenaBytes = std::size_t{8} << 30;

}  // namespace mien::engine
