#include "core/tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace mien::core {
namespace {

struct DTypeInfo {
  DType dtype;
  const char* name;
  std::size_t size;
};

constexpr std::array<DTypeInfo, 10> kDTypes = {{
    {DType::kF64, "F64", 8},
    {DType::kF32, "F32", 4},
    {DType::kF16, "F16", 2},
    {DType::kBF16, "BF16", 2},
    {DType::kI64, "I64", 8},
    {DType::kI32, "I32", 4},
    {DType::kI16, "I16", 2},
    {DType::kI8, "I8", 1},
    {DType::kU8, "U8", 1},
    {DType::kBool, "BOOL", 1},
}};

const DTypeInfo& info(DType dtype) {
  for (const DTypeInfo& entry : kDTypes) {
    if (entry.dtype == dtype) return entry;
  }
  return kDTypes[1];
}

template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Without branches, so that loops over whole tensors are vectorised: a program's start reads
// millions. Not f16_to_f32() itself, which position-independent code calls and does not inline.
float widened(std::uint16_t half) {
  constexpr std::uint32_t kExponent = 0x0F800000U;  // of a half, where f32 has its own
  constexpr std::uint32_t kShift = 112U << 23;      // between the two exponents' biases
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFFU) << 13;
  const std::uint32_t exponent = magnitude & kExponent;
  const std::uint32_t normal = magnitude + kShift;
  // Subnormal halves are normal floats: as 2^-14 with their mantissa, less 2^-14.
  constexpr std::uint32_t kOne = 1U << 23;
  const float lined_up = std::bit_cast<float>(normal + kOne) - std::bit_cast<float>(113U << 23);
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(lined_up);
  const std::uint32_t endless = normal + kShift;  // infinity and NaN
  const std::uint32_t value =
      exponent == 0 ? subnormal : (exponent == kExponent ? endless : normal);
  return std::bit_cast<float>(sign | value);
}

float element_f32(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::kF64: return static_cast<float>(load<double>(at));
    case DType::kF32: return load<float>(at);
    case DType::kF16: return widened(load<std::uint16_t>(at));
    case DType::kBF16: return bf16_to_f32(load<std::uint16_t>(at));
    case DType::kI64: return static_cast<float>(load<std::int64_t>(at));
    case DType::kI32: return static_cast<float>(load<std::int32_t>(at));
    case DType::kI16: return static_cast<float>(load<std::int16_t>(at));
    case DType::kI8: return static_cast<float>(load<std::int8_t>(at));
    case DType::kU8: return static_cast<float>(load<std::uint8_t>(at));
    case DType::kBool: return load<std::uint8_t>(at) != 0 ? 1.0F : 0.0F;
  }
  return 0.0F;
}

bool is_float(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

}  // namespace

std::size_t dtype_size(DType dtype) {
  return info(dtype).size;
}

const char* dtype_name(DType dtype) {
  return info(dtype).name;
}

Result<DType> dtype_from_name(const std::string& name) {
  for (const DTypeInfo& entry : kDTypes) {
    if (name == entry.name) return entry.dtype;
  }
  return make_error(ErrorCode::kUnsupported, "unknown element type '" + name + "'");
}

std::string shape_string(const Shape& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(shape[i]);
  }
  return out + "]";
}

Result<std::size_t> checked_element_count(const Shape& shape) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 62;
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      return make_error(ErrorCode::kBadFormat, "negative size in shape " + shape_string(shape));
    }
    if (size == 0) {
      empty = true;
    } else if (count > kMax / static_cast<std::uint64_t>(size)) {
      return make_error(ErrorCode::kLimit, "shape " + shape_string(shape) + " is too large");
    } else {
      count *= static_cast<std::uint64_t>(size);
    }
  }
  return empty ? std::size_t{0} : static_cast<std::size_t>(count);
}

std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor out;
  out.dtype = dtype;
  out.bytes.resize(element_count(shape) * dtype_size(dtype));
  out.shape = std::move(shape);
  return out;
}

Tensor Tensor::from_f32(std::span<const float> values, Shape shape) {
  Tensor out = zeros(DType::kF32, std::move(shape));
  const auto bytes = std::as_bytes(values);
  std::copy_n(bytes.begin(), std::min(out.bytes.size(), bytes.size()), out.bytes.begin());
  return out;
}

Tensor Tensor::from_u8(std::span<const std::uint8_t> values, Shape shape) {
  Tensor out = zeros(DType::kU8, std::move(shape));
  const auto bytes = std::as_bytes(values);
  std::copy_n(bytes.begin(), std::min(out.bytes.size(), bytes.size()), out.bytes.begin());
  return out;
}

std::vector<float> to_f32(const TensorView& tensor) {
  const std::size_t size = dtype_size(tensor.dtype);
  std::vector<float> out(tensor.bytes.size() / size);
  if (tensor.dtype == DType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), out.size() * size);
    return out;
  }
  if (tensor.dtype == DType::kF16) {
    const std::byte* at = tensor.bytes.data();
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = widened(load<std::uint16_t>(at + 2 * i));
    }
    return out;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = element_f32(tensor.dtype, tensor.bytes.data() + i * size);
  }
  return out;
}

Result<Tensor> convert_float(const TensorView& tensor, DType target) {
  if (!is_float(tensor.dtype) || !is_float(target) || target == DType::kF64) {
    return make_error(
        ErrorCode::kUnsupported,
        std::string("cannot convert ") + dtype_name(tensor.dtype) + " to " + dtype_name(target));
  }
  const std::vector<float> values = to_f32(tensor);
  Tensor out = Tensor::zeros(target, tensor.shape);
  if (target == DType::kF32) {
    std::memcpy(out.bytes.data(), values.data(), out.bytes.size());
    return out;
  }
  const auto narrow = target == DType::kF16 ? f32_to_f16 : f32_to_bf16;
  const std::span<std::uint16_t> bits = out.as<std::uint16_t>();
  for (std::size_t i = 0; i < values.size(); ++i) bits[i] = narrow(values[i]);
  return out;
}

float f16_to_f32(std::uint16_t bits) {
  return widened(bits);
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return sign | 0x7E00U;   // NaN
  if (magnitude >= 0x47800000U) return sign | 0x7C00U;  // 65536 and more: infinity
  if (magnitude < 0x38800000U) {
    // Below the smallest normal half: adding 0.5 lines the value up with half's subnormal grid, and
    // the FPU rounds to nearest even for us.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U);
  }
  const std::uint32_t odd = (magnitude >> 13) & 1U;
  const std::uint32_t rounded = magnitude + 0xFFFU + odd - (std::uint32_t{112} << 23);
  return sign | static_cast<std::uint16_t>(rounded >> 13);
}

float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace mien::core
