#include "media/av_devices.h"

#include <dlfcn.h>

extern "C" {
#include <libavdevice/version.h>
}

#include <string>

namespace mien::media {
namespace {

Status load() {
  const std::string name = "libavdevice.so." + std::to_string(LIBAVDEVICE_VERSION_MAJOR);
  // Never closed: FFmpeg keeps pointers into it.
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* symbol = library != nullptr ? dlsym(library, "avdevice_register_all") : nullptr;
  if (symbol == nullptr) {
    const char* reason = dlerror();
    return make_error(ErrorCode::kUnsupported, std::string("cameras need ") + name + ": " +
                                                   (reason != nullptr ? reason : "not usable"));
  }
  reinterpret_cast<void (*)()>(symbol)();
  return {};
}

}  // namespace

Status register_av_devices() {
  static const Status done = load();
  return done;
}

}  // namespace mien::media
