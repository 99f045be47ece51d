#include "cli/blas_kernels.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace mien::cli {
namespace {

// The kernels in use, by the name OPENBLAS_CORETYPE takes; empty when the BLAS is another one.
std::string_view openblas_kernels() {
  using CoreName = char* (*)();
  // LibTorch brings the BLAS; by name, so that this program links with any.
  const auto name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name != nullptr ? std::string_view(name()) : std::string_view();
}

// OpenBLAS's kernel sets for x86 without AVX2 (its TargetList.txt).
bool lacks_avx2(std::string_view kernels) {
  constexpr std::array<std::string_view, 20> kOld = {
      "Prescott",  "Katmai", "Coppermine", "Northwood",  "Banias",
      "Core2",     "Penryn", "Dunnington", "Nehalem",    "Sandybridge",
      "Atom",      "Nano",   "Athlon",     "Opteron",    "Opteron_SSE3",
      "Barcelona", "Bobcat", "Bulldozer",  "Piledriver", "Steamroller"};
  for (const std::string_view old : kOld) {
    if (kernels == old) return true;
  }
  return false;
}

}  // namespace

void restart_with_fast_blas(char** argv) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
  if (!lacks_avx2(openblas_kernels()) || __builtin_cpu_supports("avx2") == 0) return;
  const bool avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  setenv("OPENBLAS_CORETYPE", avx512 ? "SkylakeX" : "Haswell", 1);
  execv("/proc/self/exe", argv);
  unsetenv("OPENBLAS_CORETYPE");  // the start failed: go on, slower
#else
  (void)argv;
#endif
}

}  // namespace mien::cli
