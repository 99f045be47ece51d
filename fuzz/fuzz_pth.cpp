// Any bytes: an error of one line, or tensors that hold together.
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/pth.h"

namespace {

void require(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto checkpoint = mien::core::read_pth_bytes(std::as_bytes(std::span(data, size)));
  if (!checkpoint) {
    require(checkpoint.error().to_string().find('\n') == std::string::npos);
    return 0;
  }
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint->tensors) {
    const std::size_t wanted =
        mien::core::element_count(tensor.shape) * mien::core::dtype_size(tensor.dtype);
    require(tensor.bytes.size() == wanted);
    bytes += wanted;
  }
  // Deflated storages may be larger than the file, strided views larger than their storage.
  require(bytes <= 8 * ((std::size_t{16} << 20) + 64 * size) + (std::size_t{1} << 20));
  const std::size_t count = checkpoint->tensors.size();
  const auto picked = mien::core::select_state_dict(std::move(*checkpoint));
  require(!picked || (!picked->empty() && picked->size() <= count));
  return 0;
}
