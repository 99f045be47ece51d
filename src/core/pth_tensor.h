// From strided views of storages to contiguous tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/pth_objects.h"
#include "core/tensor.h"
#include "mien/result.hpp"

namespace mien::core::detail {

// Makes tensors, and keeps count of what they take: a file may describe any number of views of one
// storage, and views larger than their storage (stride 0), but together no more than
// kMaxExpansion times the storages plus kFreeBytes.
class TensorMaker {
 public:
  static constexpr std::uint64_t kFreeBytes = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kMaxExpansion = 8;

  // Says that a storage of this size is really there.
  void found_storage(std::uint64_t bytes);

  // Element [i, j, ...] of the result is element offset + i*strides[0] + j*strides[1] + ... of
  // `storage`, e.g. storage a b c d e f seen with shape [3, 2] and strides [1, 3] (the transpose of
  // [2, 3]) is a d b e c f. Errors (context: the tensor's path): kBadFormat when a view leaves its
  // storage, kLimit.
  Result<Tensor> make(const PthTensor& view, DType dtype, std::span<const std::byte> storage);

 private:
  std::uint64_t budget_ = kFreeBytes;  // bytes that may still be made
};

}  // namespace mien::core::detail
