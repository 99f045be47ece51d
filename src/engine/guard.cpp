#include "engine/guard.h"

#include <exception>
#include <new>

#include "engine/onednn.h"

namespace mien::engine {

Error current_exception_error() noexcept {
  try {
    throw;
  } catch (const dnnl::error& e) {
    const ErrorCode code =
        e.status == dnnl_unimplemented ? ErrorCode::kUnsupported : ErrorCode::kInternal;
    return make_error(code, std::string("oneDNN: ") + e.what());
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kLimit, "out of memory");
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, e.what());
  } catch (...) {
    return make_error(ErrorCode::kInternal, "unknown exception");
  }
}

}  // namespace mien::engine
