// Parity with the numbers of the official PyTorch code: every named activation, in every precision,
// with one and with two threads.
#include "golden.h"

#include <gtest/gtest.h>

#include "compare.h"
#include "engine/infer.h"

namespace mien::engine {
namespace {

struct Mode {
  const char* name;
  EngineOptions options;
  double tolerance;
};

std::vector<Mode> modes() {
  std::vector<Mode> all;
  for (int threads : {1, 2}) {
    const bool two = threads == 2;
    all.push_back({two ? "f32_2" : "f32_1", {Precision::kF32, threads, NativeBf16::kAuto}, 1e-4});
    all.push_back(
        {two ? "rounded_2" : "rounded_1", {Precision::kBf16, threads, NativeBf16::kOff}, 3e-2});
    all.push_back(
        {two ? "native_2" : "native_1", {Precision::kBf16, threads, NativeBf16::kOn}, 3e-2});
  }
  return all;
}

void PrintTo(const Mode& mode, std::ostream* os) {
  *os << mode.name;
}

class GoldenTest : public testing::TestWithParam<std::tuple<const char*, Mode>> {};

TEST_P(GoldenTest, EveryActivation) {
  MIEN_NEEDS_GOLDEN();
  const auto& [name, mode] = GetParam();
  if (mode.options.native_bf16 == NativeBf16::kOn && !has_any_bf16()) {
    GTEST_SKIP() << "oneDNN has no bf16 primitives on this CPU";
  }
  const auto model = test::open_golden(name);
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  const auto inputs = core::SafetensorsFile::open(test::golden(name) + "/inputs.safetensors");
  const auto wanted = core::SafetensorsFile::open(test::golden(name) + "/outputs.safetensors");
  ASSERT_TRUE(inputs.ok() && wanted.ok());
  const auto result =
      infer(*model, inputs->tensors(), {.engine = mode.options, .activations = true});
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  double worst = 0.0;
  std::string worst_name;
  for (const auto& [key, tensor] : wanted->tensors()) {
    const auto it = result->outputs.find(key);
    ASSERT_NE(it, result->outputs.end()) << "no output " << key;
    EXPECT_EQ(it->second.dtype, tensor.dtype) << key;
    const double error = test::expect_close(key, it->second.view(), tensor, mode.tolerance);
    if (error > mode.tolerance / 6) std::printf("  %-32s %.2e\n", key.c_str(), error);
    if (error > worst) {
      worst = error;
      worst_name = key;
    }
  }
  RecordProperty("worst", std::to_string(worst));
  std::printf("%s %s: worst relative error %.2e (%s), forward %.1f ms\n", name, mode.name, worst,
              worst_name.c_str(), result->forward_ms);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest,
                         testing::Combine(testing::Values("s2d_small", "mobilefacenet",
                                                          "videomae_small"),
                                          testing::ValuesIn(modes())),
                         [](const auto& p) {
                           return std::string(std::get<0>(p.param)) + "_" +
                                  std::get<1>(p.param).name;
                         });

}  // namespace
}  // namespace mien::engine
