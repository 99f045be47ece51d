#include "core/cpu.h"

#include <cstdlib>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif

namespace mien::core {

bool announces_amx_without_tiles() {
#if defined(__x86_64__) && defined(__GNUC__)
  constexpr unsigned kAmxTile = 1U << 24;  // leaf 7, EDX
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kAmxTile) == 0) return false;
  // Leaf 1DH, palette 1: EBX holds bytes per row and, above, the number of tiles; ECX the rows.
  if (__get_cpuid_count(0x1d, 1, &a, &b, &c, &d) == 0) return true;
  return b == 0 || c == 0;
#else
  return false;
#endif
}

bool misses_its_amx() {
  if (announces_amx_without_tiles()) return true;
#if defined(__x86_64__) && defined(__GNUC__)
  constexpr unsigned kAmxBf16 = 1U << 22;     // leaf 7, EDX
  constexpr unsigned kAvx512Fp16 = 1U << 23;  // the same
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0 || b != signature_INTEL_ebx) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return (d & kAvx512Fp16) != 0 && (d & kAmxBf16) == 0;
#else
  return false;
#endif
}

bool onednn_isa_is_chosen() {
  return std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr || std::getenv("DNNL_MAX_CPU_ISA") != nullptr;
}

void avoid_amx_without_tiles() {
  if (!announces_amx_without_tiles() || onednn_isa_is_chosen()) return;
  setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", 1);
}

}  // namespace mien::core
