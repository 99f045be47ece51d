// Element types and tensors at rest: what files hold and what layers exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::core {

// Element types of safetensors and of PyTorch storages that we read.
enum class DType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

std::size_t dtype_size(DType dtype);  // bytes per element
const char* dtype_name(DType dtype);  // safetensors spelling: "F32", "BF16", ...
Result<DType> dtype_from_name(const std::string& name);

using Shape = std::vector<std::int64_t>;

std::string shape_string(const Shape& shape);  // "[2, 3, 4]"

// Product of the sizes; an Error (kLimit / kBadFormat) when a size is negative or the product does
// not fit in 2^62. The empty shape is a scalar: 1 element.
Result<std::size_t> checked_element_count(const Shape& shape);

// Product of the sizes of a shape already known to be sane.
std::size_t element_count(const Shape& shape);

// A contiguous row-major tensor that somebody else owns. Valid as long as its owner lives.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;  // element_count(shape) * dtype_size(dtype)

  // The elements as T; T must be the type that `dtype` names and `bytes` must be aligned for it
  // (true for everything from this library; otherwise use to_f32).
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

// A contiguous row-major tensor that owns its bytes.
struct Tensor {
  DType dtype = DType::kF32;
  Shape shape;
  std::vector<std::byte> bytes;

  static Tensor zeros(DType dtype, Shape shape);
  static Tensor from_f32(std::span<const float> values, Shape shape);
  static Tensor from_u8(std::span<const std::uint8_t> values, Shape shape);

  TensorView view() const { return {dtype, shape, bytes}; }

  template <typename T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

// Tensors by name, sorted, as a file holds them.
using TensorMap = std::map<std::string, Tensor>;
using TensorViewMap = std::map<std::string, TensorView>;

// Elements converted to f32 (any numeric dtype; bool becomes 0/1; no alignment is assumed).
std::vector<float> to_f32(const TensorView& tensor);

// A copy of `tensor` in another floating type (F32, F16, BF16; round to nearest even).
// Error kUnsupported when either side is not a floating type.
Result<Tensor> convert_float(const TensorView& tensor, DType target);

// IEEE half and bfloat16 <-> float, round to nearest even; NaN stays NaN.
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);

}  // namespace mien::core
