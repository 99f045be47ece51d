// The boundary to third-party exceptions: oneDNN throws dnnl::error, allocation std::bad_alloc.
#pragma once

#include "mien/result.hpp"

namespace mien::engine {

// Call inside `catch (...)`: the exception in flight as an Error (kLimit for bad_alloc,
// kUnsupported for "no such primitive", else kInternal).
Error current_exception_error() noexcept;

// Runs `body`, which returns a Result or Status, and turns what it throws into an Error.
template <typename Body>
auto guarded(Body&& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return current_exception_error();
  }
}

}  // namespace mien::engine
