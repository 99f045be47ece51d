// As mien-train does when it starts: before oneDNN looks at the CPU.
#include <gtest/gtest.h>

#include "core/cpu.h"

namespace mien::learn::test {
namespace {

class CpuEnvironment : public ::testing::Environment {
 public:
  void SetUp() override { core::avoid_amx_without_tiles(); }
};

const auto* const kCpuEnvironment = ::testing::AddGlobalTestEnvironment(new CpuEnvironment);

}  // namespace
}  // namespace mien::learn::test
