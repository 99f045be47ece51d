// Any bytes: an error of one line, or content that holds together and survives being written again.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/safetensors.h"

namespace {

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void check(const mien::core::SafetensorsContent& content) {
  for (const auto& [name, tensor] : content.tensors) {
    const std::size_t size = mien::core::dtype_size(tensor.dtype);
    require(tensor.bytes.size() == mien::core::element_count(tensor.shape) * size);
    require(tensor.bytes.empty() ||
            reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size == 0);
    (void)mien::core::to_f32(tensor);  // reads every byte
  }
  const auto written = mien::core::serialize_safetensors(content.tensors, content.metadata);
  require(written.ok());
  const auto again = mien::core::parse_safetensors(*written);
  require(again.ok() && again->metadata == content.metadata);
  require(again->tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    const auto at = again->tensors.find(name);
    require(at != again->tensors.end() && at->second.dtype == tensor.dtype &&
            at->second.shape == tensor.shape && at->second.bytes.size() == tensor.bytes.size());
    require(tensor.bytes.empty() ||
            std::memcmp(at->second.bytes.data(), tensor.bytes.data(), tensor.bytes.size()) == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto content = mien::core::parse_safetensors(std::as_bytes(std::span(data, size)));
  if (content) {
    check(*content);
  } else {
    require(content.error().to_string().find('\n') == std::string::npos);
  }
  return 0;
}
