#include "core/pth_tensor.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace mien::core::detail {
namespace {

// Whether every element of a non-empty view lies in a storage of `count` elements. No product is
// formed before it is known to be at most `count`.
bool fits(const PthTensor& view, std::uint64_t count) {
  if (view.offset >= count) return false;
  std::uint64_t last = view.offset;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    const auto steps = static_cast<std::uint64_t>(view.shape[i]) - 1;
    const auto stride = static_cast<std::uint64_t>(view.strides[i]);
    if (steps == 0 || stride == 0) continue;
    if (steps > count / stride) return false;
    last += steps * stride;
    if (last >= count) return false;
  }
  return true;
}

bool is_contiguous(const PthTensor& view) {
  std::int64_t expected = 1;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    if (view.shape[i] != 1 && view.strides[i] != expected) return false;
    expected *= view.shape[i];
  }
  return true;
}

// Copies row by row of the last dimension, counting through the others like an odometer.
void gather(const PthTensor& view, std::size_t size, const std::byte* from, std::byte* to) {
  const std::size_t outer = view.shape.size() - 1;
  const auto row = static_cast<std::size_t>(view.shape[outer]);
  const auto step = static_cast<std::size_t>(view.strides[outer]) * size;
  std::vector<std::int64_t> index(outer, 0);
  std::size_t at = 0;  // elements from `from`
  while (true) {
    const std::byte* source = from + at * size;
    for (std::size_t i = 0; i < row; ++i) {
      std::memcpy(to, source + i * step, size);
      to += size;
    }
    std::size_t d = outer;
    while (d > 0) {
      --d;
      at += static_cast<std::size_t>(view.strides[d]);
      if (++index[d] < view.shape[d]) break;
      at -= static_cast<std::size_t>(view.strides[d]) * static_cast<std::size_t>(view.shape[d]);
      index[d] = 0;
      if (d == 0) return;
    }
    if (outer == 0) return;
  }
}

}  // namespace

void TensorMaker::found_storage(std::uint64_t bytes) {
  // Bytes that exist in memory: far from where this could wrap.
  budget_ += bytes * kMaxExpansion;
}

Result<Tensor> TensorMaker::make(const PthTensor& view, DType dtype,
                                 std::span<const std::byte> storage) {
  const std::size_t size = dtype_size(dtype);
  const Result<std::size_t> count = checked_element_count(view.shape);
  if (!count) return count.error().within(view.path);
  if (*count > budget_ / size) {
    return make_error(
        ErrorCode::kLimit,
        "its shape " + shape_string(view.shape) + " is far larger than what the file holds",
        view.path);
  }
  if (*count > 0 && !fits(view, storage.size() / size)) {
    return make_error(ErrorCode::kBadFormat,
                      "its shape " + shape_string(view.shape) + " reaches beyond its storage",
                      view.path);
  }
  Tensor out = Tensor::zeros(dtype, view.shape);
  budget_ -= out.bytes.size();
  if (*count == 0) return out;
  const std::byte* from = storage.data() + static_cast<std::size_t>(view.offset) * size;
  if (is_contiguous(view)) {
    std::memcpy(out.bytes.data(), from, out.bytes.size());
  } else {
    gather(view, size, from, out.bytes.data());
  }
  return out;
}

}  // namespace mien::core::detail
