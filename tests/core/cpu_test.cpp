#include "core/cpu.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace mien::core {
namespace {

std::string chosen() {
  const char* isa = std::getenv("ONEDNN_MAX_CPU_ISA");
  return isa != nullptr ? isa : "";
}

TEST(Cpu, AUsersInstructionSetStays) {
  setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1);
  EXPECT_TRUE(onednn_isa_is_chosen());
  avoid_amx_without_tiles();
  EXPECT_EQ(chosen(), "SSE41");
  unsetenv("ONEDNN_MAX_CPU_ISA");
}

TEST(Cpu, OneDnnIsCappedJustWhereTilesHaveNoSize) {
  unsetenv("ONEDNN_MAX_CPU_ISA");
  unsetenv("DNNL_MAX_CPU_ISA");
  avoid_amx_without_tiles();
  EXPECT_EQ(chosen(), announces_amx_without_tiles() ? "AVX512_CORE_BF16" : "");
  unsetenv("ONEDNN_MAX_CPU_ISA");
}

}  // namespace
}  // namespace mien::core
