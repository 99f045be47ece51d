// ONNX Runtime computes from our graphs what the engine computes from our models. Skipped where
// node or its package onnxruntime-node is absent.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "cases.h"
#include "engine/infer.h"
#include "export/onnx.h"

namespace mien {
namespace {

constexpr const char* kTolerance = "1e-4";

bool has_runtime() {
  const bool package =
      std::filesystem::exists(std::filesystem::path(MIEN_NODE_MODULES) / "onnxruntime-node");
  return package && std::system("command -v node >/dev/null 2>&1") == 0;  // NOLINT
}

// Inputs of two clips or pictures under the names of `mien infer`.
core::TensorMap inputs_for(const core::ModelConfig& config) {
  core::TensorMap inputs;
  const auto floats = [](core::Shape shape, unsigned seed) {
    const auto values = test::random_floats(core::element_count(shape), seed);
    return core::Tensor::from_f32(values, std::move(shape));
  };
  const std::int64_t side = config.input_size();
  const std::int64_t frames = config.input_frames();
  if (config.arch == core::Arch::kMobileFaceNet) {
    inputs["x"] = floats({2, 3, side, side}, 3);
    return inputs;
  }
  const bool adatosk = config.arch == core::Arch::kAdaTosk;
  const std::int64_t channels = adatosk ? config.adatosk.vit.in_chans : 3;
  inputs["x"] = floats({2, channels, frames, side, side}, 3);
  if (config.arch == core::Arch::kS2D && !config.s2d.with_landmark) {
    const std::int64_t grid = config.s2d.grid();
    inputs["a"] = floats({2 * frames, config.s2d.in_chans_l, grid, grid}, 4);
  }
  return inputs;
}

// What the engine gives of the graph's outputs.
Result<core::TensorMap> wanted(const test::ExportCase& c, const core::TensorViewMap& weights,
                               const core::TensorMap& inputs) {
  const bool adatosk = c.config.arch == core::Arch::kAdaTosk;
  const engine::InferOptions options{.engine = {.precision = Precision::kF32, .threads = 1},
                                     .activations = adatosk,
                                     .budget = c.budget};
  MIEN_ASSIGN(engine::InferResult result,
              engine::infer_tensors(c.config, weights, core::views_of(inputs), options));
  core::TensorMap named;
  for (const char* name : {"logits", "feature", "landmark", "mask"}) {
    if (result.outputs.contains(name)) named[name] = std::move(result.outputs[name]);
  }
  return named;
}

class RuntimeTest : public ::testing::TestWithParam<test::ExportCase> {};

TEST_P(RuntimeTest, AgreesWithTheEngine) {
  if (!has_runtime()) GTEST_SKIP() << "no onnxruntime-node in " << MIEN_NODE_MODULES;
  const test::ExportCase& c = GetParam();
  const core::TensorMap tensors = test::random_tensors(c.config, 5);
  const core::TensorMap inputs = inputs_for(c.config);
  const auto outputs = wanted(c, core::views_of(tensors), inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.error().to_string();
  ASSERT_FALSE(outputs->empty());
  const testing::TempFolder folder;
  const std::string model = folder.file("model.onnx");
  const std::string given = folder.file("in.safetensors");
  const std::string expected = folder.file("out.safetensors");
  const auto size = exporting::export_onnx(c.config, core::views_of(tensors),
                                           {.budget = c.budget, .version = "test"}, model);
  ASSERT_TRUE(size.ok()) << size.error().to_string();
  ASSERT_TRUE(core::write_safetensors(given, core::views_of(inputs)).ok());
  ASSERT_TRUE(core::write_safetensors(expected, core::views_of(*outputs)).ok());
  const std::string command = "NODE_PATH='" MIEN_NODE_MODULES "' node '" MIEN_SOURCE_DIR
                              "/bench/peers/check_onnx.cjs' '" +
                              model + "' '" + given + "' '" + expected + "' " + kTolerance;
  const int status = std::system(command.c_str());  // NOLINT
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
}

INSTANTIATE_TEST_SUITE_P(Of, RuntimeTest, ::testing::ValuesIn(test::export_cases()),
                         [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace mien
